"""A picture's header may promise anything: whoever reads it is told in a line."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from vatl_core.errors import InputError
from vatl_frames import PictureFiles, picture_size

SIDE = 61_000


def png(side: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
    rows = zlib.compressobj(9)
    data = b"".join(rows.compress(bytes(side // 8 + 1)) for _ in range(side if side < SIDE else 9)) + rows.flush()
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def saved(kind: str) -> bytearray:
    file = BytesIO()
    Image.new("RGB" if kind != "GIF" else "P", (64, 48)).save(file, kind)
    return bytearray(file.getvalue())


def jpeg() -> bytes:
    data = saved("JPEG")
    place = data.index(b"\xff\xc0") + 5
    data[place : place + 4] = struct.pack(">HH", SIDE, SIDE)
    return bytes(data)


def bmp() -> bytes:
    data = saved("BMP")
    data[18:26] = struct.pack("<ii", SIDE, SIDE)
    return bytes(data)


def gif() -> bytes:
    data = saved("GIF")
    data[6:10] = struct.pack("<HH", SIDE, SIDE)
    return bytes(data)


def tiff() -> bytes:
    data = saved("TIFF")
    (start,) = struct.unpack("<I", data[4:8])
    for place in range(start + 2, start + 2 + 12 * struct.unpack("<H", data[start : start + 2])[0], 12):
        (tag,) = struct.unpack("<H", data[place : place + 2])
        if tag in (256, 257):
            data[place : place + 12] = struct.pack("<HHII", tag, 4, 1, SIDE)
    return bytes(data)


PROMISES: dict[str, Callable[[], bytes]] = {
    "a.png": lambda: png(SIDE),
    "complete.png": lambda: png(14_000),
    "a.jpg": jpeg,
    "a.bmp": bmp,
    "a.gif": gif,
    "a.tif": tiff,
    "a.ppm": lambda: b"P6 %d %d 255\n" % (SIDE, SIDE),
}


@pytest.mark.parametrize("name", PROMISES)
def test_a_header_that_promises_too_much_is_refused_by_name(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(PROMISES[name]())
    for reading in (
        lambda: picture_size(path),
        lambda: PictureFiles([path]).read(0),
        lambda: PictureFiles([path]).size(0),
    ):
        with pytest.raises(InputError, match=rf"{name} is too large a picture, or damaged"):
            reading()


@pytest.mark.filterwarnings("ignore")  # Pillow has much to say of such files
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP"])
def test_whatever_a_torn_picture_makes_its_reader_stumble_over_is_told(kind: str, tmp_path: Path) -> None:
    data, path = saved(kind), tmp_path / "torn"
    for end in range(0, min(len(data), 300), 7):
        for torn in (data[:end], data[:end] + bytes(range(255, 0, -1)), data[:end] + b"\xff" * 40 + data[end + 40 :]):
            path.write_bytes(torn)
            for reading in (lambda: picture_size(path), lambda: PictureFiles([path]).read(0)):
                with suppress(InputError):
                    reading()
