"""Asterisk's configuration files as Asterisk reads them, and what the doctor says of wrong ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.adapters.asteriskfiles import FileFault, read
from gateway.cli.doctor.files import examine_files
from gateway.cli.doctor.finding import State
from gateway.cli.init import Layout, write
from gateway.config import load
from gateway.settings import Config


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


@pytest.fixture
def installed(tmp_path: Path) -> tuple[Config, Path]:
    """What `voxgate init` writes, included from main files as its README says."""
    list(write(Layout(tmp_path), "127.0.0.1", 5038, "127.0.0.1:4573", [], force=False))
    etc = tmp_path / "etc"
    etc.mkdir()
    (tmp_path / "asterisk").rename(etc / "voxgate")
    (etc / "manager.conf").write_text('[general]\nenabled = yes\n#include "voxgate/manager.conf"\n')
    (etc / "extensions.conf").write_text('[from-internal]\nexten => 1,1,NoOp()\n#include "voxgate/extensions.conf"\n')
    (etc / "modules.conf").write_text('[modules]\nautoload = no\n#include "voxgate/modules.conf"\n')
    return load(tmp_path / "voxgate.toml", {}), etc


def test_files_as_init_writes_them_have_no_fault(installed: tuple[Config, Path]) -> None:
    assert {one.state for one in examine_files(*installed)} == {State.OK}


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(etc: Path) -> None:
        text = (etc / name).read_text()
        assert old in text
        (etc / name).write_text(text.replace(old, new))

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (edit("manager.conf", "enabled = yes", "enabled = no"), "enabled = yes"),
        (edit("manager.conf", "enabled = yes", "enabled = yes\nport = 5039"), "says port = 5039"),
        (edit("manager.conf", '#include "voxgate/manager.conf"', ""), "there is no user [voxgate]"),
        (edit("voxgate/manager.conf", "secret = ", "secret = x"), "is not the one"),
        (edit("voxgate/manager.conf", "call,originate,", "call,"), "originate is missing"),
        (edit("voxgate/manager.conf", "write = call", "write = system,call"), "take system out"),
        (edit("voxgate/manager.conf", "vg-", "vg-other"), "keeps our calls' events back"),
        (edit("extensions.conf", '#include "voxgate/extensions.conf"', ""), "at the end of extensions.conf"),
        (edit("voxgate/extensions.conf", "127.0.0.1:4573/call", "127.0.0.1:1/call"), "127.0.0.1:1, the gateway's"),
        (edit("voxgate/modules.conf", "load = app_amd.so", ""), "does not load app_amd"),
        (edit("modules.conf", "autoload = no", "noload = app_chanspy.so"), "app_chanspy: take the noload"),
        (edit("modules.conf", "[modules]", "[modules"), "is no section"),
        (lambda etc: (etc / "manager.conf").unlink(), "No such file"),
    ],
)
def test_each_fault_is_found_with_its_mend(
    installed: tuple[Config, Path], change: Callable[[Path], None], words: str
) -> None:
    config, etc = installed
    change(etc)
    assert words in " ".join(one.mend for one in examine_files(config, etc) if one.state is State.FAIL)


def test_a_folder_that_is_not_here_is_skipped_and_says_so(installed: tuple[Config, Path], tmp_path: Path) -> None:
    (found,) = examine_files(installed[0], tmp_path / "nowhere")
    assert found.state is State.SKIPPED and "--asterisk-etc" in found.mend
