"""Makes the generated blocks of the README from the package itself; `cog -r README.md` writes them, `cog --check README.md` compares."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = ("", "demo", "open", "import", "export", "materialize", "run", "replay", "verify", "golden", "store")


def codes() -> str:
    """Return the table of refusals."""
    from labelkit.errors import catalogue

    rows = ["| code | status | what it says | what to do |", "|---|---|---|---|"]
    for kind in catalogue():
        hint = _plain(kind.advice)
        rows.append(f"| `{kind.code}` | {kind.status or ''} | {kind.title} | {hint} |")
    return _block("\n".join(rows))


def words() -> str:
    """Return the codes that are values and no refusals: outcomes, findings, reasons, indicators."""
    from labelkit.core.datasets.builds import BuildOutcome
    from labelkit.core.datasets.eligibility import ExclusionReason
    from labelkit.core.datasets.quality import POLICY
    from labelkit.core.golden.pipeline import Reason
    from labelkit.core.golden.reasons import Code
    from labelkit.core.media import FrameProblem
    from labelkit.core.review.publishing import FindingCode, PublishCode
    from labelkit.formats.exporting.verifying import Problem
    from labelkit.formats.exports import Facet

    rows = {
        "outcomes of a publish": PublishCode,
        "findings of a publish": FindingCode,
        "outcomes of a build": BuildOutcome,
        "why a label pack is not in a build": ExclusionReason,
        f"quality indicators (policy {POLICY.version})": [rule.code for rule in POLICY.rules],
        "why a frame has no picture": FrameProblem,
        "why a decision is no golden example": Reason,
        "why an example has not all points": Code,
        "what an export's format may have no place for": Facet,
        "what a verification finds": Problem,
    }
    lines = [f"| {name} | {', '.join(f'`{code}`' for code in codes)} |" for name, codes in rows.items()]
    return _block("\n".join(["| what | codes |", "|---|---|", *lines]))


def machines() -> str:
    """Return every lifecycle as a Mermaid diagram."""
    from labelkit.core.datasets.builds import BUILD
    from labelkit.core.datasets.freezing import FREEZING
    from labelkit.core.datasets.materialization import MATERIALIZATION
    from labelkit.core.golden.examples import EXAMPLE
    from labelkit.core.review.annotations import FRAME
    from labelkit.core.review.packs import PACK
    from labelkit.core.review.revisions import ELIGIBILITY

    parts = [
        f"**{machine.name}**\n```mermaid\n{machine.mermaid()}\n```"
        for machine in (FRAME, PACK, ELIGIBILITY, BUILD, MATERIALIZATION, FREEZING, EXAMPLE)
    ]
    return _block("\n\n".join(parts))


def modules() -> str:
    """Return the map of the package: each module with the first line of its docstring."""
    rows = ["| module | what it is |", "|---|---|"]
    for file in _known_to_git("labelkit/*.py"):
        name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        first = (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").splitlines()[0]
        rows.append(f"| `{name}` | {_plain(first)} |")
    return _block("\n".join(rows))


def command_line() -> str:
    """Return the help of the command line."""
    environment = {**os.environ, "COLUMNS": "110", "TERMINAL_WIDTH": "110", "NO_COLOR": "1"}
    texts = []
    for command in COMMANDS:
        call = [sys.executable, "-c", "from labelkit.cli import main; main()", *command.split(), "--help"]
        done = subprocess.run(call, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
        texts.append(f"$ labelkit {command}".rstrip() + " --help\n" + re.sub(r" +$", "", done.stdout, flags=re.MULTILINE).strip())
    return _block("```\n" + "\n\n".join(texts) + "\n```")


def _known_to_git(pattern: str) -> list[Path]:
    """Return the files that git knows, so that what lies about unfinished is not in the README; outside a checkout all files."""
    call = ["git", "-c", "safe.directory=*", "ls-files", "--", pattern]
    listed = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    found = [ROOT / name for name in listed] or (ROOT / "labelkit").rglob("*.py")
    return sorted(file for file in found if file.is_file())


def _plain(text: str) -> str:
    """Return text for a table cell: fields of a template become their names in angle brackets."""
    return re.sub(r"\{(\w+)[^}]*\}", r"‹\1›", text).replace("|", "\\|")


def _block(text: str) -> str:
    return f"\n{text}\n\n"
