"""Tells what a trial found: findings become page models, page models become HTML, CSV and JSON.

The one idea: everything a page says is worked out by pure functions of the ledger's records and the judge's
results, so that a sentence can be tested without a browser and a template holds no logic.
"""
