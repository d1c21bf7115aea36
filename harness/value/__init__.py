"""What a system costs a body, from what was measured and what the open book says (docs/method.md, "Cost").

The one idea: pure functions over amounts that carry their range and evidence class; imports only the judge's
plain types.
"""
