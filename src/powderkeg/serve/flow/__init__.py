"""Order flow over HTTP and the stream."""
