"""The streams that are read of one camera: the main one, and a second one that may be exchanged beside it."""

from collections.abc import Callable

from marengocam.core.model import Camera
from marengocam.ingest.reading import Reader, ReadingPlan


class CameraStreams:
    """The readers of one camera; `read` makes one from what it is to do."""

    def __init__(self, camera: Camera, read: Callable[[Camera, ReadingPlan], Reader]) -> None:
        self._read = read
        main, *second = plans_of(camera)
        self._main = read(camera, main)
        self._second = [read(camera, plan) for plan in second]
        self._left: list[Reader] = []  # of second streams that are read no more, as long as they need to end

    @property
    def readers(self) -> list[Reader]:
        """All of them, those that are about to end included."""
        return [self._main, *self._second, *self._left]

    def start(self) -> None:
        """Begin to read."""
        for reader in self.readers:
            reader.start()

    def stop(self) -> None:
        """Ask all to end, without waiting for them."""
        for reader in self.readers:
            reader.stop()

    def change(self, camera: Camera) -> None:
        """Serve the camera as it is configured now, without connecting anew."""
        for reader in self.readers:
            reader.change(camera)

    def exchange_second(self, camera: Camera) -> None:
        """Analyse what is analysed of the camera from now on; its recording notices nothing."""
        main, *plans = plans_of(camera)
        second = [self._read(camera, plan) for plan in plans]
        for reader in second:
            reader.start()
        for reader in self._second:
            reader.stop()
        self._left = [reader for reader in (*self._left, *self._second) if reader.thread.is_alive()]
        self._second = second
        self._main.analyse(wanted=main.analyse)


def plans_of(camera: Camera) -> list[ReadingPlan]:
    """Return what is read of a camera: the main stream is recorded, the second one analysed if there is one."""
    plans = [ReadingPlan(camera.main_url, record=True, analyse=camera.sub_url is None)]
    if camera.sub_url is not None:
        plans.append(ReadingPlan(camera.sub_url, record=False, analyse=True))
    return plans
