"""A form system of the old kind: the paper form put on a screen. It stands for no real product.

Pages are rendered on the server, answers are kept in server-side sessions, everything is in one SQLite
database with its default rollback journal and few indexes. It is slow only where such systems honestly
are: a round trip and a session write for every page, answers stored a row each, tables searched from end
to end. It does no artificial work and never sleeps.
"""

__version__ = "7.4.2"
