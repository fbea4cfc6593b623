"""One text out of a browser half and the shared modules that it imports, because a widget travels as a single ES module.

What only a reader of the source needs, comments and indentation, stays at home: the text is kept in every notebook that shows the widget.
The files stay plain modules that the type checker and a browser read as they are. Here each shared module becomes a function scope that
returns its exports, in the order of need, so that no two modules can clash over a name.
"""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache

from labelkit.widgets import assets

_IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"(\.[^"]+)";[ \t]*\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function|function|class|const|let)\b)", re.MULTILINE)
_NAMES = re.compile(r"^export (?:async function\*?|function\*?|class|const|let)\s+([A-Za-z_$][\w$]*)", re.MULTILINE)
_DOC_COMMENT = re.compile(r"^[ \t]*/\*\*(?:(?!\*/).)*\*/[ \t]*\n", re.MULTILINE | re.DOTALL)
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
_LEFT_OVER = re.compile(r"^(?:import|export)\b(?! default\b).*", re.MULTILINE)


def script(name: str) -> str:
    """Return the browser half `name`, such as `frame_review.js`, with every module that it imports, as one ES module text."""
    return _Bundle().of(name)


def styles(*names: str) -> str:
    """Return the shared theme followed by the named style sheets as one text."""
    return "\n".join(assets.text(name) for name in ("shared/theme.css", *names))


class _Bundle:
    def __init__(self) -> None:
        self._scopes: dict[str, str] = {}

    def of(self, name: str) -> str:
        main = self._body(name, open_modules=(name,))
        return "\n".join([*self._scopes.values(), main])

    def _body(self, name: str, open_modules: tuple[str, ...]) -> str:
        source = _short(assets.text(name))

        def bind(found: re.Match[str]) -> str:
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), found[2]))
            if target in open_modules:
                message = f"the browser halves import each other in a circle: {' -> '.join((*open_modules, target))}"
                raise ImportError(message)
            self._add(target, (*open_modules, target))
            wanted = re.sub(r"\s+as\s+", ": ", " ".join(found[1].split()))
            return f"const {{ {wanted.rstrip(',')} }} = {_scope(target)};\n"

        body = _IMPORT.sub(bind, source)
        if len(open_modules) == 1:
            return body
        plain = _EXPORT.sub("", body)
        left = _LEFT_OVER.search(plain)
        if left:
            message = f"{name}: a shared module may only use named imports and exports of its own declarations, not {left[0]!r}"
            raise ImportError(message)
        return plain

    def _add(self, name: str, open_modules: tuple[str, ...]) -> None:
        if name in self._scopes:
            return
        body = self._body(name, open_modules)
        exported = ", ".join(_NAMES.findall(assets.text(name)))
        self._scopes[name] = f"const {_scope(name)} = (() => {{\n{body}return {{ {exported} }};\n}})();"


@lru_cache(maxsize=256)
def _short(source: str) -> str:
    """Return the source without comments and indentation; the files are read for each widget, but change only under whoever edits them."""
    return _INDENT.sub("", _DOC_COMMENT.sub("", source))


def _scope(name: str) -> str:
    return "$" + re.sub(r"\W", "_", name.removesuffix(".js"))
