"""The ledger: every trial's record, kept append-only in one database.

The one idea: what is in the ledger was committed whole and is never changed afterwards; what can change
(where a trial stands, what was judged of it, whether a finding is solved) is set once or added as a later
row. `store.ledger.Ledger` is the only way in; nothing here is imported until it is used.
"""
