"""Makes .github/picture.png for the README: the review widget in a real JupyterLab, on a drawn match, half way through a review.

Run it from the repository, in an environment with the extras lab and test, with a Chromium installed: `python .github/picture.py`.
"""

from __future__ import annotations

import sys
import tempfile
from io import BytesIO
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

SIZE = {"width": 1280, "height": 1100}
COLOURS = 128
CELL = """
import labelkit
from labelkit import ReviewOp, widgets

match = labelkit.synthetic.match("match", frames=48)
labels = match.write_yolo("labels")
ws = labelkit.open("labels.duckdb", workspace="club-a", user="ana")
clip = match.clips[2]
ws.media.add(clip.folder, name=clip.name)
run = ws.prelabels.import_("yolo", labels / clip.name, media=clip.name, capability="player_detection")
draft = ws.review.open(clip.name, "player_detection", run=run.id)
ops = [ReviewOp.accept(index) for index in range(7)] + [ReviewOp.flag(11, "needs_human_review"), ReviewOp.flag(13, "bad_frame")]
draft = ws.review.apply(draft.id, base_version=draft.version, ops=ops)
review = widgets.FrameReview(ws, clip.name, "player_detection")
review.live.go(7)
review
"""


def main() -> None:
    """Start JupyterLab, show the widget, take its picture, keep it small."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    from tests import needs
    from tests.browser.lab import Lab

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        lab = Lab(Path(folder))
        try:
            browser = playwright.chromium.launch(executable_path=needs.chromium(), args=["--no-sandbox", "--disable-gpu"])
            context = browser.new_context(viewport=SIZE)
            notebook = lab.open(context, lab.write("picture.ipynb", [CELL]))
            notebook.run()
            widget = notebook.page.locator(".lk-root").first
            widget.wait_for()
            notebook.page.wait_for_timeout(2500)  # the frame, its neighbours and the thumbnails arrive
            shot = widget.screenshot()
            browser.close()
        finally:
            lab.close()
    picture = Image.open(BytesIO(shot)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    picture.save(ROOT / ".github" / "picture.png", optimize=True)


if __name__ == "__main__":
    main()
