"""The local clock, the venues' clocks, and the lag of the event loop."""
