"""What cameras send besides pictures over TCP: sound, and datagrams."""

import socket
import struct

G711_PACKET_BYTES, G711_PACKET_S = 320, 0.04
G711_SDP = "m=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=control:track1\r\n"
FRAME = struct.Struct("!cBH")  # "$", channel and length, in front of each packet over TCP


def silence(number: int) -> bytes:
    """Return the second stream's packet of this number, as over TCP."""
    head = struct.pack("!BBHII", 0x80, 8, number & 0xFFFF, number * G711_PACKET_BYTES & 0xFFFFFFFF, 2)
    packet = head + bytes([0xD5]) * G711_PACKET_BYTES
    return FRAME.pack(b"$", 2, len(packet)) + packet


class Datagrams:
    """In the place of a connection's writer: sends each packet to the port of its channel."""

    def __init__(self, first_port: int) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._first_port = first_port

    def write(self, content: bytes) -> None:
        """Send whole packets."""
        while content:
            _, channel, length = FRAME.unpack_from(content)
            end = FRAME.size + length
            self._socket.sendto(content[FRAME.size : end], ("127.0.0.1", self._first_port + channel))
            content = content[end:]

    async def drain(self) -> None:
        """Nothing waits to be sent."""

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()
