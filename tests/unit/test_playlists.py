"""What says where a video is, instead of being one, is not followed, whatever it is called."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import pytest
import torch

from vatl_core.errors import InputError
from vatl_drawing import write_video
from vatl_frames import VideoFile

PLAYLISTS = {
    "m3u8": "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n",
    "ffconcat": "ffconcat version 1.0\nfile {}\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/9",
    "mpd": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet '
    'mimeType="video/mp4"><Representation id="1"><BaseURL>{}</BaseURL></Representation></AdaptationSet></Period></MPD>',
}


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A video of three frames."""
    path = tmp_path / "clip.mp4"
    write_video(path, (torch.full((3, 48, 64), 80 * n, dtype=torch.uint8) for n in range(3)), 10)
    return path


@pytest.mark.parametrize("suffix", ["own", "mp4", "avi", "ts"])
@pytest.mark.parametrize("kind", PLAYLISTS)
def test_a_playlist_is_no_video(kind: str, suffix: str, clip: Path) -> None:
    path = clip.with_name(f"list.{kind if suffix == 'own' else suffix}")
    path.write_text(PLAYLISTS[kind].format(clip.name))
    with pytest.raises(InputError, match=r"list\.\w+ cannot be read as a video"):
        VideoFile(path)


def test_no_address_is_asked(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        for kind in ("m3u8", "ffconcat"):
            path = tmp_path / f"list.{kind}"
            path.write_text(PLAYLISTS[kind].format(f"http://127.0.0.1:{server.getsockname()[1]}/clip.ts"))
            with pytest.raises(InputError, match="a playlist, which is not followed"):
                VideoFile(path)
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize("name", ["concat:clip.mp4", "subfile,,start,0,end,0,,:clip.mp4", "data:clip.mp4", "a:b.mp4"])
def test_a_file_may_be_called_like_an_address(name: str, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(clip.parent)
    clip.rename(name)
    assert len(VideoFile(Path(name))) == 3
    assert np.asarray(VideoFile(Path(name)).read(1)).shape == (3, 48, 64)
