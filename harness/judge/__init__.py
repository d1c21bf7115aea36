"""Numbers in, verdicts out: effects, intervals, verdicts, recommendations (docs/method.md).

The one idea: everything here is a pure function; no file, no clock, no randomness without a seed, nothing
else of the harness.
"""
