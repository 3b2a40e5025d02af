"""The folder that frames are kept in: a journal of the last hour, sealed hours, snapshots."""
