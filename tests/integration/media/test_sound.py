"""Sound beside the picture: copied or made into AAC, in step with it, and never in its way."""

from datetime import UTC, datetime
from fractions import Fraction

import av
import numpy as np
import pytest
from tests.support.clips import counter_picture

from marengocam.core.clock import SystemClock
from marengocam.media.chunk_writer import ChunkWriter
from marengocam.media.mp4.fragments import read_index
from marengocam.media.sound import sound_track
from marengocam.media.store import Store
from marengocam.media.stream import StreamOptions, StreamPacket, StreamReader

SECONDS, FPS = 6, 10
BEEP_AT_S, BEEP_S = 3.0, 0.5


def write_clip(file, codec, rate_hz, seconds=SECONDS, sound_until_s=SECONDS, width=192):
    """Write a clip that beeps at BEEP_AT_S."""
    with av.open(str(file), "w") as container:
        video = container.add_stream("libx264", rate=FPS, options={"bf": "0", "preset": "ultrafast"})
        video.width, video.height, video.pix_fmt, video.gop_size = width, 96, "yuv420p", FPS
        audio = container.add_stream(codec, rate=rate_hz, layout="mono")
        times = np.arange(int(sound_until_s * rate_hz)) / rate_hz
        loud = (times >= BEEP_AT_S) & (times < BEEP_AT_S + BEEP_S)
        wave = (np.sin(2 * np.pi * 440 * times) * loud * 20000).astype(np.int16)
        resampler = av.AudioResampler(audio.format.name, "mono", rate_hz)
        for number in range(seconds * FPS):
            frame = av.VideoFrame.from_ndarray(counter_picture(number, width, 96), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(video.encode(frame))
            piece = wave[number * rate_hz // FPS : (number + 1) * rate_hz // FPS]
            if piece.size:
                sound = av.AudioFrame.from_ndarray(piece[None, :], format="s16", layout="mono")
                sound.sample_rate, sound.pts, sound.time_base = rate_hz, number * rate_hz // FPS, Fraction(1, rate_hz)
                for converted in resampler.resample(sound):
                    container.mux(audio.encode(converted))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))
    return file


def record(file, root, chunk_s=60.0):
    store = Store(root)
    store.prepare()
    chunks = []
    with StreamReader(f"file://{file}", StreamOptions(), SystemClock(), datetime(2026, 1, 1, tzinfo=UTC)) as reader:
        writer = ChunkWriter(store, "front", reader.video, reader.info, chunk_s, sound_track(reader.sound))
        for packet in reader.packets(sound=True):
            if isinstance(packet, StreamPacket):
                chunks.append(writer.write(packet))
            else:
                writer.write_sound(packet)
        chunks.append(writer.close())
    return store, [chunk for chunk in chunks if chunk]


def loud_times(file):
    """Return when a recording is loud, in seconds."""
    times = []
    with av.open(str(file)) as container:
        rate_hz = container.streams.audio[0].sample_rate
        for frame in container.decode(audio=0):
            samples = np.abs(frame.to_ndarray().astype(np.float32)).max(axis=0)
            level = samples / (1 if frame.format.name.startswith("flt") else 32768)
            times += list(frame.time + np.flatnonzero(level > 0.2) / rate_hz)
    return times


@pytest.mark.parametrize(
    ("codec", "rate_hz", "recorded"),
    [("aac", 16_000, "aac"), ("pcm_mulaw", 8_000, "aac"), ("pcm_alaw", 8_000, "aac"), ("ac3", 48_000, "aac")],
)
def test_a_beep_is_recorded_when_it_is_seen(tmp_path, codec, rate_hz, recorded):
    source = write_clip(tmp_path / "source.mov", codec, rate_hz)
    store, (chunk,) = record(source, tmp_path / "media")
    file = store.resolve(chunk.path)
    with av.open(str(file)) as container:
        assert container.streams.audio[0].codec_context.name == recorded
        assert container.streams.video[0].frames in {0, SECONDS * FPS}
    times = loud_times(file)
    assert min(times) == pytest.approx(BEEP_AT_S, abs=0.1)
    assert max(times) == pytest.approx(BEEP_AT_S + BEEP_S, abs=0.1)


def audio_packets(file):
    """Return the bytes of each packet of a file's sound."""
    with av.open(str(file)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def test_a_cameras_aac_is_recorded_byte_by_byte_and_not_encoded_anew(tmp_path):
    source = write_clip(tmp_path / "source.mov", "aac", 16_000)
    store, (chunk,) = record(source, tmp_path / "media")
    sent, kept = audio_packets(source), audio_packets(store.resolve(chunk.path))
    begin = sent.index(kept[0])
    assert len(kept) >= 0.9 * len(sent)
    assert kept == sent[begin : begin + len(kept)]


def test_each_chunk_has_its_part_of_the_sound(tmp_path):
    source = write_clip(tmp_path / "source.mov", "pcm_mulaw", 8_000)
    store, chunks = record(source, tmp_path / "media", chunk_s=2.0)
    assert len(chunks) == 3
    assert loud_times(store.resolve(chunks[0].path)) == []
    assert min(loud_times(store.resolve(chunks[1].path))) == pytest.approx(BEEP_AT_S - 2.0, abs=0.1)


def test_sound_that_is_not_wanted_any_more_ends_with_its_chunk_at_the_next_keyframe(tmp_path):
    source = write_clip(tmp_path / "source.mov", "pcm_mulaw", 8_000)
    store, chunks = Store(tmp_path / "media"), []
    store.prepare()
    with StreamReader(f"file://{source}", StreamOptions(), SystemClock(), datetime(2026, 1, 1, tzinfo=UTC)) as reader:
        writer = ChunkWriter(store, "front", reader.video, reader.info, 60.0, sound_track(reader.sound))
        for packet in reader.packets(sound=True):
            if not isinstance(packet, StreamPacket):
                writer.write_sound(packet)
                continue
            chunks.append(writer.write(packet))
            writer.silent = packet.stream_s >= BEEP_AT_S + BEEP_S
        chunks.append(writer.close())
    with_sound, without = [chunk for chunk in chunks if chunk]
    assert max(loud_times(store.resolve(with_sound.path))) == pytest.approx(BEEP_AT_S + BEEP_S, abs=0.1)
    assert with_sound.duration_s == pytest.approx(4.0, abs=0.1)
    with av.open(str(store.resolve(without.path))) as container:
        assert not container.streams.audio


def test_a_microphone_that_falls_silent_does_not_hold_the_picture_back(tmp_path):
    source = write_clip(tmp_path / "source.mov", "aac", 16_000, seconds=8, sound_until_s=2)
    store = Store(tmp_path / "media")
    store.prepare()
    with StreamReader(f"file://{source}", StreamOptions(), SystemClock(), datetime(2026, 1, 1, tzinfo=UTC)) as reader:
        writer = ChunkWriter(store, "front", reader.video, reader.info, 60.0, sound_track(reader.sound))
        for packet in reader.packets(sound=True):
            if not isinstance(packet, StreamPacket):
                writer.write_sound(packet)
                continue
            writer.write(packet)
            if packet.stream_s >= 6.0:
                break
        (growing,) = store.recordings("front")
        assert read_index(growing).duration_s > 4.0, "what was sent 2 s ago is on the disk"
        writer.close()
