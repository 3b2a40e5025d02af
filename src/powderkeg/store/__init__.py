"""The store of frames: a journal of the last hour, sealed hours, snapshots, forecasts."""
