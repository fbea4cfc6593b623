"""What every widget shares: commands from the browser and their answers, the error banner, instances, the static fallback."""

from __future__ import annotations

import difflib
import inspect
import traceback
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any, ClassVar, TypeVar
from weakref import WeakValueDictionary

import anywidget
import traitlets

from labelkit.errors import InvalidValue, LabelkitError, UnknownArgument, UnknownCommand
from labelkit.widgets import bundle, static

Json = Mapping[str, object]
Method = TypeVar("Method", bound=Callable[..., object])

_COMMAND = "_labelkit_command"
_ERRORS_KEPT = 50
_OPEN: WeakValueDictionary[Hashable, CommandWidget] = WeakValueDictionary()


def command(name: str) -> Callable[[Method], Method]:
    """Register a method as the answer to the browser's command `name`; its keyword arguments are the command's arguments."""

    def register(method: Method) -> Method:
        setattr(method, _COMMAND, name)
        return method

    return register


class _Checked(type(anywidget.AnyWidget)):  # type: ignore[misc]  # the metaclass of traitlets has no types
    """A widget class whose unknown keyword arguments are refused by name, before anything is made."""

    def __call__(cls, *args: object, **kwargs: object) -> object:
        known = [p.name for p in inspect.signature(cls.__init__).parameters.values() if p.name != "self"]  # type: ignore[misc]
        for name in kwargs:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
                likely = f"Did you mean {near[0]!r}?" if near else "Remove it."
                raise UnknownArgument(what=cls.__name__, name=name, likely=likely, known=", ".join(known))
        return super().__call__(*args, **kwargs)


class CommandWidget(anywidget.AnyWidget, metaclass=_Checked):
    """A widget whose browser half asks commands and whose Python half answers them.

    A subclass names its browser half in `_browser` (`frame_review` for `widgets/frame_review.js`, with `frame_review.css` beside it
    where it has one), answers commands with methods marked `@command`, gives `.value`, and describes itself in `to_html`.
    Callbacks may come on any thread: `_lock` is held while a command is answered.
    """

    _browser: ClassVar[str]
    _styles: ClassVar[tuple[str, ...]] = ()
    _commands: ClassVar[dict[str, str]] = {}

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    python = traitlets.Unicode(help="The last thing clicked, as a call in Python.").tag(sync=True)

    def __init_subclass__(cls, **kwargs: Any) -> None:  # noqa: ANN401 - passed on
        super().__init_subclass__(**kwargs)
        own = {
            getattr(method, _COMMAND): name
            for base in reversed(cls.__mro__)
            for name, method in vars(base).items()
            if hasattr(method, _COMMAND)
        }
        cls._commands = own

    def __init__(self, *, key: Hashable | None = None, **traits: Any) -> None:  # noqa: ANN401 - trait values of a subclass
        """Make the widget; an open one of the same class and `key` is closed first, so that a cell run again shows one."""
        self._lock = RLock()
        self.errors: deque[BaseException] = deque(maxlen=_ERRORS_KEPT)
        super().__init__(_esm=bundle.script(f"{self._browser}.js"), _css=bundle.styles(*self._styles), **traits)
        self.on_msg(self._receive)
        if key is not None:
            name = (type(self).__qualname__, key)
            previous = _OPEN.get(name)
            if previous is not None:
                previous.close()
            _OPEN[name] = self

    def close(self) -> None:
        """Take the widget out of every page; its layout goes with it, which ipywidgets leaves behind."""
        if self.comm is not None:
            self.layout.close()
        super().close()

    # --- to the browser

    def tell(self, event: str, data: Json | None = None, buffers: Sequence[bytes] = ()) -> None:
        """Send an event to every open view of this widget. What is sent before a view asked `ready` may be lost."""
        self.send({"type": "event", "event": event, "data": dict(data or {})}, list(buffers))

    def fail(self, error: BaseException) -> None:
        """Record an error and show it in the banner of every view."""
        self.errors.append(error)
        self.tell("error", report(error))

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Run a callback of any thread; an exception is recorded and shown in the widget, and goes no further."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - shown in the widget and kept in `errors`
            self.fail(error)

    # --- from the browser

    @command("ready")
    def ready(self) -> Json:
        """Return what a new view must know; a view asks this first."""
        return {}

    def _receive(self, _widget: object, content: Mapping[str, Any], _buffers: object) -> None:
        if content.get("type") != "ask":
            return
        answer: dict[str, object] = {"type": "answer", "id": content.get("id"), "command": content.get("command")}
        with self._lock:  # until it is sent: an older answer never follows a newer one
            try:
                answer |= {"ok": True, "result": self._answer(str(content.get("command")), content.get("args") or {})}
            except Exception as error:  # noqa: BLE001 - answered to the browser and kept in `errors`
                self.errors.append(error)
                answer |= {"ok": False, "error": report(error)}
            self.send(answer)

    def _answer(self, name: str, args: Mapping[str, object]) -> object:
        if name not in self._commands:
            raise UnknownCommand(what=type(self).__name__, name=name, known=", ".join(sorted(self._commands)))
        method = getattr(self, self._commands[name])
        try:
            bound = inspect.signature(method).bind(**args)
        except TypeError as error:
            raise InvalidValue(
                what=f"Command {name!r}", reason=str(error), fix="Reload the page: the browser half is of another version."
            ) from error
        return method(*bound.args, **bound.kwargs)

    # --- without a browser

    def describe(self) -> str:
        """Return one line that says what this is."""
        return str(type(self).__name__)

    def to_html(self) -> str:
        """Return a static rendering for places without a kernel."""
        return static.card(self.describe())

    def __repr__(self) -> str:
        return self.describe()

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:  # noqa: ANN401 - IPython's protocol
        live = super()._repr_mimebundle_(**kwargs)
        if live is None:
            return None
        data, metadata = live
        return {**data, "text/html": self.to_html(), "text/plain": self.describe()}, metadata


def report(error: BaseException) -> dict[str, object]:
    """Return an error as the banner shows it: code, title, detail, hint; findings and versions of a refusal come along as facts."""
    if isinstance(error, LabelkitError):
        return {**error.as_dict(), "facts": plain(error.facts)}
    where = traceback.extract_tb(error.__traceback__)
    place = f" ({where[-1].name}, line {where[-1].lineno})" if where else ""
    return {
        "code": "UNEXPECTED_ERROR",
        "title": type(error).__name__,
        "detail": f"{error}{place}",
        "hint": "This is a fault in labelkit. The exception is in .errors[-1] of the widget; nothing was saved by this step.",
        "status": None,
        "facts": {},
    }


def plain(value: object) -> object:
    """Return a value as JSON can carry it: dataclasses and mappings as objects, sequences as lists, the rest as text."""
    import dataclasses
    import enum

    if isinstance(value, enum.Enum):
        return value.value
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return str(value)
