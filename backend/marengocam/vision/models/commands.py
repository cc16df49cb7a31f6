"""`marengocam models list|fetch|export|verify`."""

from collections.abc import Callable, Iterable, Iterator

from marengocam.core.clock import Clock, SystemClock
from marengocam.core.errors import BadInputError, ModelError
from marengocam.settings import Settings
from marengocam.vision.detectors.precision import AUTO, Precision, decide, processor_has_vnni
from marengocam.vision.detectors.protocol import Picture
from marengocam.vision.models.download import fetch_model
from marengocam.vision.models.exporting import FORMATS, export_model, exported_name
from marengocam.vision.models.finder import DOWNLOADED_FOLDER, Models
from marengocam.vision.models.made import origin_of
from marengocam.vision.models.registry import MODELS, ModelSpec, Role, spec_named

ONNX, OPENVINO = FORMATS


def run(settings: Settings, action: str, name: str | None, kind: str = ONNX) -> int:
    """Do one action; return the exit status: verify finds 1 when a role has no usable file."""
    if action == "fetch":
        return _fetch(settings, name)
    if action == "export":
        return _export(settings, name, kind, SystemClock())
    models = Models(settings)
    missing = {spec.role for spec in MODELS}
    for spec in sorted(models.specs(), key=lambda one: list(Role).index(one.role)):
        file = models.find(spec)
        if file is not None:
            missing.discard(spec.role)
        place = file or ("not here; can be fetched" if spec.url else "not here")
        print(f"{spec.role:15} {spec.name:24} {place!s:60} {spec.quality} ({spec.licence})")  # noqa: T201 - a command
    if action == "list":
        for line in _precision_here(settings, models):
            print(line)  # noqa: T201 - a command
    return int(action == "verify" and bool(missing))


def _precision_here(settings: Settings, models: Models) -> Iterator[str]:
    """Yield in what precision the processor looks and why, and how to get INT8 where that would be faster."""
    from marengocam.vision.detectors.choice import precision_of  # noqa: PLC0415 - loaded when needed

    able = (spec for spec in models.specs() if spec.role is Role.DETECTOR and not spec.needs_torch)
    spec = next((one for one in able if models.find(one) is not None), None)
    if spec is None or settings.detector not in {"auto", "openvino"}:
        return
    try:
        small, precision, why = precision_of(spec, settings, models)
    except ModelError as error:  # the setting asks for what is not here
        yield str(error)
        return
    yield f"On the processor the detector looks in {precision}: {why}."
    if (
        small is None
        and precision is not Precision.INT8
        and settings.detector_precision == AUTO
        and processor_has_vnni()
    ):
        yield f"`marengocam models export {spec.name} --int8` makes one of your own recordings and tells what it keeps."


def export_int8(
    settings: Settings, name: str | None, kind: str | None, pictures: Callable[[], Iterable[Picture]], clock: Clock
) -> int:
    """Make a detector's network INT8 by pictures, and tell what it keeps; returns the exit status.

    Raises BadInputError for what cannot be made so and ModelError when it would find too little.
    """
    from marengocam.vision.detectors.choice import long_side_px  # noqa: PLC0415 - loaded when needed
    from marengocam.vision.models.shrinking import make_int8  # noqa: PLC0415 - loaded when needed

    if kind == ONNX:
        raise BadInputError("INT8 is made for OpenVINO: leave out --format, or say --format openvino.")
    spec = _full_precision(settings, name, clock)
    file = Models(settings).find(spec)
    if file is None:
        raise ModelError(f"{spec.name} is not here: see `marengocam models list`.")
    folder = settings.data_dir / DOWNLOADED_FOLDER
    done = make_int8(spec, origin_of(spec, file), file, pictures(), long_side_px(settings), folder, _today(clock))
    keeping, made = done.keeping, done.made
    times = ", ".join(f"{precision} {took:g} ms" for precision, took in sorted(done.ms_a_look.items()))
    for line in (
        f"calibrated with {made.pictures} pictures, checked with {made.checked_pictures} others",
        f"keeps {keeping.kept_share:.3f} of what {spec.name} finds ({keeping.kept} of {keeping.sure} sure objects)",
        f"of what it finds itself, {spec.name} finds {keeping.backed_share:.3f} ({keeping.backed} of {keeping.told})",
        f"a look takes here, on one thread: {times}",
        str(done.file),
        _use_of(settings),
    ):
        print(line)  # noqa: T201 - a command
    return 0


def _use_of(settings: Settings) -> str:
    """Return what comes of an INT8 network that is here now, on this machine."""
    from marengocam.vision.openvino_net import processor_has_bf16  # noqa: PLC0415 - loaded when needed

    precision, why = decide(
        settings.detector_precision, made_int8=True, vnni=processor_has_vnni(), bf16=processor_has_bf16()
    )
    if precision is Precision.INT8:
        return f"This machine looks in int8 from the next start of ingest on: {why}."
    return f"This machine goes on in {precision}: {why}. Set detector_precision to int8 to take it all the same."


def _full_precision(settings: Settings, name: str | None, clock: Clock) -> ModelSpec:
    """Return the network of that name that can be quantised; a torch model is exported first."""
    able = [spec for spec in Models(settings).specs() if spec.role is Role.DETECTOR]
    able = [spec for spec in able if spec.fixed_px is None and spec.int8_of is None]
    spec = next((one for one in able if one.name == name), None)
    if spec is None:
        raise BadInputError(f"Name one of: {', '.join(one.name for one in able)}.")
    if not spec.needs_torch:
        return spec
    exported = exported_name(spec)
    if all(one.name != exported for one in able):
        _export(settings, spec.name, OPENVINO, clock)
    return next(one for one in Models(settings).specs() if one.name == exported)


def _export(settings: Settings, name: str | None, kind: str, clock: Clock) -> int:
    spec = spec_named(name or "")
    if spec is None or not spec.needs_torch:
        names = ", ".join(spec.name for spec in MODELS if spec.needs_torch)
        raise BadInputError(f"Name one of: {names}.")
    file = Models(settings).find(spec, download=True)
    if file is None:
        raise ModelError(f"{spec.name} is not here and could not be fetched: see `marengocam models list`.")
    print(export_model(spec, file, kind, settings.data_dir / DOWNLOADED_FOLDER, _today(clock)))  # noqa: T201 - a command
    return 0


def _today(clock: Clock) -> str:
    return clock.now().isoformat(timespec="seconds")


def _fetch(settings: Settings, name: str | None) -> int:
    spec = spec_named(name or "")
    if spec is None:
        names = ", ".join(spec.name for spec in MODELS if spec.url)
        raise BadInputError(f"Name one of: {names}.")
    print(fetch_model(spec, settings.data_dir / DOWNLOADED_FOLDER))  # noqa: T201 - a command
    return 0
