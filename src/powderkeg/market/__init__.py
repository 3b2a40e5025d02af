"""What venues show: order book, tape, candles, and what it costs to hold."""
