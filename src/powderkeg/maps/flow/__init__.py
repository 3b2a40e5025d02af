"""Views of order flow: ladder, tape, panes under the chart, volume profile, and the read."""
