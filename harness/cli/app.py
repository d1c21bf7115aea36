"""The command group: names, one-line helps and where each command's module is; nothing else is imported for `--help`."""

from __future__ import annotations

import importlib

import click

from harness import __version__

_COMMANDS = {
    "init": "Make a new workspace in a folder.",
    "check": "Validate every file of the workspace.",
    "schema": "Print the JSON Schema of a kind of file, for editors.",
    "list": "List blocks, bodies, scenarios, pilots, trials or metrics.",
    "prepare": "Build the environments that pilots need, so that runs fetch nothing.",
    "register": "Freeze a pilot's protocol before its first registered run.",
    "run": "Run pilots: deploy, load, collect, judge, store, report.",
    "report": "Build the report pages.",
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"harness.cli.commands.{cmd_name}_command")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            near = difflib.get_close_matches(args[0], _COMMANDS, n=1) if args else []
            if near:
                raise click.UsageError(f"{error.message} Did you mean {near[0]!r}?", ctx) from None
            raise


@click.command(
    cls=_Lazy,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: harness run registrar-appointments",
)
@click.version_option(__version__, prog_name="harness")
def app() -> None:
    """Try shared public-service blocks against the systems bodies run today, and publish what the trial showed.

    Exit codes: 0 done, nothing worse; 1 the harness failed; 2 bad usage or bad input; 3 a verdict is worse or a guardrail broke;
    4 no verdict; 130 interrupted, resumable.
    """
