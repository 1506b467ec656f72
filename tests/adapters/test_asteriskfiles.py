"""Asterisk's configuration files as Asterisk reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.adapters.asteriskfiles import FileFault, read


def test_includes_templates_additions_and_block_comments(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/two.conf").write_text("colour = blue\n[base](+)\nlate = 1\n")
    (tmp_path / "one.conf").write_text(
        "alone = x\n[base](!)  ; a template\nsize = 1\n;-- all of\nsize = 9\nthis --;\n"
        '[thing](base)\nname => it ; said\n#include "sub/two.conf"\n#tryinclude nothing.conf\n#exec rm -rf /\n[empty]\n'
    )
    assert read(tmp_path, "one.conf") == {
        "": [("alone", "x")],
        "thing": [("size", "1"), ("name", "it"), ("colour", "blue")],
        "base": [("late", "1")],
        "empty": [],
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#include gone.conf\n", "gone.conf, which does not exist"),
        ("[a](b)\n", "template 'b'"),
        ("[a\n", "is no section"),
        ("#include one.conf\n", "includes within each other"),
    ],
)
def test_what_asterisk_could_not_read_is_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "one.conf").write_text(text)
    with pytest.raises(FileFault, match=words):
        read(tmp_path, "one.conf")
