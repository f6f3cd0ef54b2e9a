from collections.abc import Callable

from salesfunnel.model.funnel import Funnel

PRESETS: dict[str, Callable[[], Funnel]] = {}
