"""Metrics of a session in the Prometheus text format."""

from __future__ import annotations

from powderkeg.live.answers import FeedHealth
from powderkeg.serve.session import Session

_CHANNEL = {
    "count": ("powderkeg_events_total", "counter", "Events read"),
    "rate": ("powderkeg_events_per_second", "gauge", "Events per second over the last minute"),
    "lag": ("powderkeg_lag_seconds", "gauge", "From the venue's time of the last event to ours"),
    "age": ("powderkeg_age_seconds", "gauge", "Since the last event"),
}

_NO_FEED = FeedHealth(
    at=0, markets={}, channels=[], venues={}, incidents={}, problems={},
    unread_frames=0, unread={}, last_unread="",
)  # fmt: skip
"""Where nothing is collected."""


def exposition(session: Session) -> str:
    """Return all metrics, one per line."""
    lines = [
        *_head("powderkeg_ready", "gauge", "1 once the history of every coin is played"),
        f"powderkeg_ready {int(session.ready)}",
    ]
    feed = session.collector.health() if session.collector else _NO_FEED
    for key, (name, kind, words) in _CHANNEL.items():
        lines += _head(name, kind, words)
        lines += [
            f"{name}{_labels(market=row.market, channel=row.channel)} {value}"
            for row in feed.channels
            if (value := getattr(row, key)) is not None
        ]
    lines += _head("powderkeg_link_up", "gauge", "1 where a market's links are up and not silent")
    for market, state in feed.markets.items():
        lines.append(f"powderkeg_link_up{_labels(market=market)} {int(state == 'up')}")
    lines += _head("powderkeg_incidents_total", "counter", "What went wrong, by venue and kind")
    for venue, counts in feed.incidents.items():
        for what, count in counts.items():
            lines.append(f"powderkeg_incidents_total{_labels(venue=venue, what=what)} {count}")
    lines += _head("powderkeg_restarts_total", "counter", "Errors after which tasks were restarted")
    for venue, count in _restarts(feed).items():
        lines.append(f"powderkeg_restarts_total{_labels(venue=venue)} {count}")
    lines += _head("powderkeg_problem", "gauge", "1 where something is wrong; health says what")
    for venue in feed.problems:
        lines.append(f"powderkeg_problem{_labels(venue=venue)} 1")
    lines += _head("powderkeg_recording", "gauge", "1 while frames are kept")
    lines.append(f"powderkeg_recording {int(feed.recording)}")
    lines += _head("powderkeg_loop_lag_seconds", "gauge", "Greatest lag of the loop in a minute")
    lines.append(f"powderkeg_loop_lag_seconds {feed.lag.recent}")
    for name in ("waiting_frames", "unread_frames", "recorded_frames"):
        lines += _head(f"powderkeg_{name}", "gauge", name.replace("_", " "))
        lines.append(f"powderkeg_{name} {getattr(feed, name)}")
    return "\n".join(lines) + "\n"


def _restarts(feed: FeedHealth) -> dict[str, int]:
    """Return how often each venue's tasks, and failed components, were restarted."""
    failed = {name: n["restarts"] for name, n in feed.incidents.items() if "restarts" in n}
    return dict.fromkeys(feed.venues, 0) | failed


def _head(name: str, kind: str, words: str) -> list[str]:
    return [f"# HELP {name} {words}.", f"# TYPE {name} {kind}"]


def _labels(**labels: str) -> str:
    """Return labels, escaped as the format requires."""
    pairs = (f'{key}="{_escaped(value)}"' for key, value in labels.items())
    return "{" + ",".join(pairs) + "}"


def _escaped(value: str) -> str:
    for raw, safe in (("\\", r"\\"), ('"', r"\""), ("\n", r"\n")):
        value = value.replace(raw, safe)
    return value
