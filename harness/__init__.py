"""The pioneer harness: try shared blocks against the systems bodies run today, and publish what the trial showed.

One way through: workspace (what people write) → trial → deploy, load, measure → judge, value → store → reporting.
docs/architecture.md names each package and the direction of its imports.
"""

from __future__ import annotations

__version__ = "0.1.0"
