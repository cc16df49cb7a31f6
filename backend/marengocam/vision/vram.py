"""Shares of a GPU's memory, so that detector and face engine on one card never take each other's."""

from dataclasses import dataclass

from marengocam.settings import Settings

GB = 1024**3  # as NVIDIA prints a card's memory
CUDA_GB = 0.7  # a process's context and its libraries' kernels, which PyTorch does not count: 0.65 on an H200


@dataclass(frozen=True, slots=True)
class VramShares:
    """How many GB of a card each is to have; what remains of a larger card is nobody's."""

    system_gb: float
    face_gb: float
    detector_gb: float
    buffer_gb: float

    @property
    def total_gb(self) -> float:
        return self.system_gb + self.face_gb + self.detector_gb + self.buffer_gb


def shares_of(settings: Settings) -> VramShares:
    """Return the shares that the settings give."""
    return VramShares(
        system_gb=settings.vram_system_gb,
        face_gb=settings.vram_face_gb,
        detector_gb=settings.vram_detector_gb,
        buffer_gb=settings.vram_buffer_gb,
    )


def memory_fraction(share_gb: float, shares: VramShares, total_bytes: int) -> float:
    """Return the fraction of a card, 0 to 1, that PyTorch may take so that its process stays within `share_gb`.

    On a card too small for all shares, each gives up alike.
    """
    total_gb = total_bytes / GB
    mine_gb = share_gb * min(1.0, total_gb / shares.total_gb)
    return min(1.0, max(0.0, mine_gb - CUDA_GB) / total_gb)
