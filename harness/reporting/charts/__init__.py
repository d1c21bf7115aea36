"""Charts as small SVG of our own, one module a kind.

The one idea: a chart is drawn twice, wide and narrow, so that its text stays readable at 320 pixels and on
paper; literal fill and stroke stand on every element, classes only let dark and forced colours take over.
"""
