"""Alembic's environment and the revisions of the ledger's schema; run by `store.schema`, never imported."""
