"""Log lines: what each holds, how they are chosen, and that no secret is among it."""

from __future__ import annotations

import ast
import asyncio
import json
import logging
import logging.config
import re
from datetime import datetime
from pathlib import Path

import pytest
import uvicorn

from powderkeg import log
from powderkeg.errors import ConfigError

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src" / "powderkeg"
TOKEN = "s3cr3t-T0KEN"  # noqa: S105  made up


@pytest.fixture
def lines(monkeypatch, capsys):
    """Log as JSON, everything; return a function that gives the lines written since."""
    monkeypatch.setenv("POWDERKEG_LOG", "json")
    monkeypatch.setenv("POWDERKEG_LOG_LEVEL", "debug")
    log.configure()
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_json_line_has_time_level_event_and_the_fields_given(lines):
    log.get_logger("live").warning("connection_lost", venue="binance", attempts=3)
    (line,) = lines()
    assert list(line)[:3] == ["time", "level", "event"]
    assert datetime.fromisoformat(line.pop("time")).utcoffset() is not None
    assert line == {
        "level": "warning", "event": "connection_lost", "logger": "powderkeg.live",
        "venue": "binance", "attempts": 3,
    }  # fmt: skip


def test_an_error_of_many_lines_is_one_json_line(lines):
    why = ValueError(f"bad answer\nfrom https://x.example/?token={TOKEN}")
    log.get_logger("live").error("task_failed", exc_info=why)
    (line,) = lines()
    assert line["exception"] == "ValueError: bad answer\nfrom https://x.example/?token=***"
    assert TOKEN not in str(line)


def test_other_libraries_log_through_the_same_format(monkeypatch, capsys):
    monkeypatch.setenv("POWDERKEG_LOG", "json")
    logging.config.dictConfig(uvicorn.config.LOGGING_CONFIG)
    log.configure()
    logging.getLogger("uvicorn.error").error("Exception in %s, token=%s", "app", TOKEN)
    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "Exception in app, token=***"
    assert (line["level"], line["logger"]) == ("error", "uvicorn.error")


async def test_a_task_whose_error_nobody_awaited_is_one_line(lines):
    context = {"message": "Task exception was never retrieved", "exception": ValueError("lost")}
    asyncio.get_running_loop().default_exception_handler(context)
    (line,) = lines()
    assert line["logger"] == "asyncio"
    assert "ValueError: lost" in line["exception"]


def test_a_line_for_people_is_plain_text_where_there_is_no_terminal(capsys):
    log.get_logger("live").warning("connection_lost", venue="binance", reason="timed out")
    (line,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\S+Z \[warning  \] connection_lost \[powderkeg\.live\] "
        r"reason='timed out' venue=binance",
        line,
    )


@pytest.mark.parametrize(("level", "shown"), [("debug", 4), ("info", 3), ("error", 1), ("", 3)])
def test_only_lines_of_the_level_and_above_are_written(level, shown, monkeypatch, capsys):
    monkeypatch.setenv("POWDERKEG_LOG_LEVEL", level)
    log.configure()
    one = log.get_logger("live")
    for write in (one.debug, one.info, one.warning, one.error):
        write("event")
    assert len(capsys.readouterr().err.splitlines()) == shown


@pytest.mark.parametrize("variable", ["POWDERKEG_LOG", "POWDERKEG_LOG_LEVEL"])
def test_an_unknown_setting_is_refused_with_what_is_allowed(variable, monkeypatch):
    monkeypatch.setenv(variable, "loud")
    with pytest.raises(ConfigError, match=f"{variable}: expected one of .*, found 'loud'"):
        log.configure()


SECRET_TEXTS = [
    f"GET /?coin=BTC&token={TOKEN}&span=1d",
    f"Authorization: Bearer {TOKEN}",
    f"authorization: {TOKEN}",
    f"basic {TOKEN}",
    f"{{'token': '{TOKEN} and more'}}",
    f'{{"api_key": "{TOKEN}"}}',
    f"[(b'authorization', b'Bearer {TOKEN}'), (b'cookie', b'token={TOKEN}')]",
    f"POST https://discord.example/api/webhooks/12/{TOKEN} failed",
    f"POST https://hooks.slack.example/services/T0/B0/{TOKEN} failed",
    f"POST https://api.telegram.example/bot12:{TOKEN}/sendMessage failed",
    f"https://me:{TOKEN}@proxy.example:8080",
]


@pytest.mark.parametrize("text", SECRET_TEXTS)
def test_a_secret_is_masked_in_the_event_in_fields_and_deep_inside_them(text, lines):
    log.get_logger("live").error(text, reason=text, answer={"rows": [text, {"why": text}]})
    (line,) = lines()
    assert TOKEN not in json.dumps(line)
    assert log.MASK in line["event"]
    assert log.MASK in line["reason"]


@pytest.mark.parametrize("name", ["token", "Authorization", "webhook_url", "password", "API_KEY"])
def test_a_field_with_a_secrets_name_is_masked_whatever_it_holds(name, lines):
    log.get_logger("live").info("event", **{name: TOKEN}, headers={name: TOKEN.encode()})
    (line,) = lines()
    assert line[name] == log.MASK
    assert line["headers"] == {name: log.MASK}


def test_a_hidden_secret_is_masked_even_where_nothing_announces_it(lines):
    log.hide(TOKEN)
    log.hide("abc")
    log.get_logger("live").info("event", reason=f"found {TOKEN} in abc")
    assert lines()[0]["reason"] == "found *** in abc"


@pytest.mark.parametrize(
    "text",
    [
        "expected a token, found none",
        "https://fstream.binance.com/stream?streams=btcusdt@aggTrade",
        "HTTP 403 from wss://stream.bybit.com/v5/public/linear: forbidden",
        "basics of tokens",
    ],
)
def test_what_is_no_secret_is_left_as_it_is(text, lines):
    log.get_logger("live").info(text, reason=text)
    (line,) = lines()
    assert (line["event"], line["reason"]) == (text, text)


def test_every_variable_that_is_read_is_documented():
    read = set()
    for path in SRC.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                read |= {node.value} if re.fullmatch(r"POWDERKEG_[A-Z_]+", node.value) else set()
    assert {"POWDERKEG_LOG", "POWDERKEG_LOG_LEVEL", "POWDERKEG_TOKEN"} <= read
    settings = (ROOT / "docs" / "settings.md").read_text()
    assert [name for name in sorted(read) if f"`{name}`" not in settings] == []
