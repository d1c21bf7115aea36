from __future__ import annotations

import argparse
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.deploy.configuration import (
    Placeholders,
    configuration_arguments,
    configuration_file,
    configuration_variables,
    write_configuration,
)
from harness.deploy.types import DeployError, DeployFault
from harness.workspace.models import ConfigurationDelivery

HERE = Placeholders(
    port=8000,
    scratch=Path("/s"),
    folder=Path("/f"),
    configuration=Path("/s/c.json"),
    python=Path("/e/bin/python"),
    bin=Path("/e/bin"),
)
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
keys = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)


def test_every_placeholder():
    text = "{port} {scratch} {folder} {configuration} {python} {bin}"
    assert HERE.fill(text, "command") == "8000 /s /f /s/c.json /e/bin/python /e/bin"


@pytest.mark.parametrize(
    ("written", "filled"),
    [
        ("{{port}}", "{port}"),
        ('{"a": {"b": 1}}', '{"a": {"b": 1}}'),
        ("{}", "{}"),
        ("{port}{port}", "80008000"),
        ("$PORT; rm -rf {scratch}", "$PORT; rm -rf /s"),
        ("{1}", "{1}"),
    ],
)
def test_other_braces_stay(written, filled):
    assert HERE.fill(written, "command") == filled


@given(texts.filter(lambda text: not re.search(r"\{[A-Za-z_]", text)))
def test_a_text_without_placeholders_stays_as_it_is(text):
    assert HERE.fill(text, "command") == text


@pytest.mark.parametrize(
    ("name", "advice"), [("folder", "`folder:`"), ("configuration", "`configuration: file:`")]
)
def test_a_placeholder_without_a_value_says_what_to_give(name, advice):
    bare = Placeholders(1, Path("/s"), None, None, Path("/p"), Path("/b"))
    with pytest.raises(DeployError, match=re.escape(advice)) as caught:
        bare.fill_all(["ok", "{" + name + "}"], "command")
    assert caught.value.fault is DeployFault.COMMAND
    assert "command[1]" in str(caught.value)


@given(st.dictionaries(keys, values, max_size=5))
def test_variables_give_back_what_was_written(configuration):
    variables = configuration_variables("BOOKING_", configuration)
    assert set(variables) == {f"BOOKING_{k.upper()}" for k, v in configuration.items() if v is not None}
    for key, value in configuration.items():
        if value is not None:
            text = variables[f"BOOKING_{key.upper()}"]
            assert (text if isinstance(value, str) else json.loads(text)) == value


@given(st.dictionaries(keys, values, max_size=5))
def test_arguments_give_back_what_was_written(configuration):
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for key in configuration:
        parser.add_argument(f"--{key}", dest=key)
    read = vars(parser.parse_args(configuration_arguments(configuration)))
    for key, value in configuration.items():
        if value is None:
            assert read[key] is None
        else:
            assert (read[key] if isinstance(value, str) else json.loads(read[key])) == value


def test_with_or_without_a_trailing_underscore():
    assert configuration_variables("BOOKING", {"a-b": 1}) == configuration_variables("BOOKING_", {"a-b": 1})


def test_two_keys_that_give_one_variable_are_refused():
    with pytest.raises(DeployError, match="BOOKING_A_B"):
        configuration_variables("BOOKING", {"a-b": 1, "a_b": 2})


@pytest.mark.parametrize("render", [configuration_arguments, lambda c: configuration_variables("P", c)])
def test_a_null_character_is_refused(render):
    with pytest.raises(DeployError, match="null character"):
        render({"name": "a\0b"})


@given(st.dictionaries(keys, values, max_size=5))
def test_the_file_gives_back_what_was_written(tmp_path_factory, configuration):
    path = tmp_path_factory.mktemp("scratch") / "c.json"
    write_configuration(path, configuration, None)
    assert json.loads(path.read_text()) == configuration
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_file_lies_in_scratch():
    assert configuration_file(ConfigurationDelivery(file="c.json"), Path("/s")) == Path("/s/c.json")
    assert configuration_file(ConfigurationDelivery(), Path("/s")) is None
