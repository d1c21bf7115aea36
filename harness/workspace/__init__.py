"""What people write, read with positions and refused with every fault at once.

`loader.Workspace` is the way in. This package knows no other package of the harness.
"""
