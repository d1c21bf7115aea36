"""Conducts a protocol: order of arms, rounds, validity, journal, resume.

The one idea: a trial is a loop over rounds that can be killed at any moment; what is committed in the ledger counts, the
rest is done again. `conduct.conduct` is the way in.
"""
