"""The page's files: small on the wire, kept where their name says what is in them."""

from __future__ import annotations

import brotli
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from powderkeg.serve.page import find, make_page


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<h1>powderkeg</h1>" * 50)
    (tmp_path / "assets" / "index-abc.js").write_text("let a = 1;\n" * 500)
    (tmp_path / ".digest").write_text("secret")
    (tmp_path.parent / "outside.txt").write_text("outside")
    return tmp_path


@pytest.fixture
def client(folder):
    with TestClient(Litestar([make_page(folder)])) as client:
        yield client


def test_a_script_is_sent_compressed_and_kept_for_a_year(client, folder):
    answer = client.get("/assets/index-abc.js", headers={"accept-encoding": "br"})
    assert answer.headers["content-encoding"] == "br"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/javascript")
    raw = answer.content
    plain = (folder / "assets" / "index-abc.js").read_bytes()
    assert plain in (raw, brotli.decompress(raw) if raw != plain else raw)


def test_the_page_itself_is_asked_about_each_time(client):
    first = client.get("/")
    assert first.headers["cache-control"] == "no-cache"
    again = client.get("/", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""


def test_who_cannot_read_brotli_gets_the_plain_file(client, folder):
    answer = client.get("/assets/index-abc.js", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in answer.headers
    assert answer.content == (folder / "assets" / "index-abc.js").read_bytes()


def test_a_new_build_is_served_at_once(client, folder):
    before = client.get("/").headers["etag"]
    (folder / "index.html").write_text("another")
    assert client.get("/").headers["etag"] != before
    assert client.get("/").text == "another"


@pytest.mark.parametrize("name", ["../outside.txt", "/.digest", "assets/../../outside.txt", "none"])
def test_nothing_but_the_pages_own_files_is_found(folder, name):
    assert find(folder, name) is None


def test_an_address_that_is_none_says_what_would_be(client):
    answer = client.get("/v1/nowhere/else")
    assert answer.status_code == 404
    assert "/v1" in answer.json()["detail"]


def test_an_installation_without_a_page_says_so(tmp_path):
    with TestClient(Litestar([make_page(tmp_path)])) as client:
        assert "holds no page" in client.get("/").text
