"""In which precision the processor looks: INT8 where a network was made so, else BF16 where it has that, else FP32."""

from enum import StrEnum
from functools import cache
from pathlib import Path

from marengocam.core.errors import ModelError

AUTO = "auto"
CPU_INFO = Path("/proc/cpuinfo")
# Without these products of bytes are summed in 16 bits, which may overflow, and little is gained.
VNNI_FLAGS = frozenset(("avx_vnni", "avx512_vnni"))


class Precision(StrEnum):
    """What a network on OpenVINO computes in."""

    INT8 = "int8"
    BF16 = "bf16"
    F32 = "f32"


def decide(wanted: str, *, made_int8: bool, vnni: bool, bf16: bool) -> tuple[Precision, str]:
    """Return the precision for a setting (auto or a precision) and why; raises ModelError when it cannot be had.

    A rule, not a measurement at the start, which a busy machine would decide: INT8 takes five sixths of BF16's time
    (docs/ref/models.md), and whoever had one made, from his own recordings and checked, wants it.
    """
    if wanted != AUTO:
        return _asked_for(
            Precision(wanted), made_int8=made_int8, bf16=bf16
        ), "the setting detector_precision asks for it"
    if made_int8 and vnni:
        return Precision.INT8, "an INT8 network of it was made, and this processor has VNNI"
    if bf16:
        faster = "; INT8 would be faster still, but no INT8 network of it was made" if vnni else ""
        return Precision.BF16, f"this processor has BF16{faster}"
    if made_int8:
        return Precision.F32, "the INT8 network that was made is for processors with VNNI, which this one has not"
    if vnni:
        return Precision.F32, "no INT8 network of it was made, which would be faster here"
    return Precision.F32, "this processor has neither BF16 nor VNNI"


def _asked_for(wanted: Precision, *, made_int8: bool, bf16: bool) -> Precision:
    if wanted is Precision.BF16 and not bf16:
        raise ModelError("This processor has no BF16: set detector_precision to auto.")
    if wanted is Precision.INT8 and not made_int8:
        raise ModelError(
            "No INT8 network of this detector is here: make one with `marengocam models export NAME --int8`, "
            "or set detector_precision to auto."
        )
    return wanted


@cache
def processor_has_vnni() -> bool:
    """Return whether this processor multiplies and sums bytes without overflowing."""
    try:
        return has_vnni(CPU_INFO.read_text())
    except OSError:
        return False  # not Linux


def has_vnni(cpu_info: str) -> bool:
    """Return whether the flags of /proc/cpuinfo tell of VNNI."""
    flags = next((line for line in cpu_info.splitlines() if line.startswith("flags")), "")
    return not VNNI_FLAGS.isdisjoint(flags.split())
