"""The picture of a sample that comes from an address: renewed before it expires, once more when it is refused, then said in words."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from labelkit.widgets import bundle

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser

SHOW = """async ({ script, renewIn }) => {
  const module = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
  const host = { el: document.createElement("canvas"), trigger() {}, remove() {} };
  const model = { get: () => "IPY_MODEL_1", widget_manager: { get_model: async () => ({}), create_view: async () => host } };
  const asked = [];
  const renew = async (key, refused) => {
    asked.push(refused);
    return { key, url: `https://assets.invalid/${key}?turn=${asked.length + 1}`, renew_in_s: null };
  };
  const stage = module.picture({ model, height: 200, resized() {}, renew });
  document.body.replaceChildren(stage.element);
  await stage.target();
  const words = { state: "READY", title: "", reason_code: "", sentence: "" };
  stage.show({ key: "a", ...words, has_picture: true, url: "https://assets.invalid/a?turn=1", renew_in_s: renewIn }, "Frame a");
  for (let waited = 0; waited < 100 && !asked.length; waited += 1) await new Promise((done) => setTimeout(done, 20));
  await new Promise((done) => setTimeout(done, 200));
  const missing = document.querySelector(".lk-picture-missing");
  const image = document.querySelector("img");
  return { asked, missing: missing.hidden ? "" : missing.textContent, src: image.src, shown: !image.hidden };
}"""


def jpeg() -> bytes:
    out = BytesIO()
    Image.new("RGB", (32, 18), "green").save(out, "JPEG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("works_from", "renew_in_s", "asked", "shown"),
    [
        pytest.param(1, 0.05, [False], True, id="its time comes"),
        pytest.param(2, 600, [True], True, id="it is refused once"),
        pytest.param(9, 600, [True], False, id="it is refused for good"),
    ],
)
def test_an_address_is_renewed_and_what_cannot_be_loaded_is_said(
    page: Page,
    works_from: int,
    renew_in_s: float,
    asked: list[bool],
    shown: bool,  # noqa: FBT001 - a case of the table
) -> None:
    # given
    def answer(route: Route) -> None:
        turn = int(route.request.url.rpartition("=")[2])
        route.fulfill(body=jpeg(), content_type="image/jpeg") if turn >= works_from else route.fulfill(status=403)

    page.route("https://assets.invalid/**", answer)
    # when
    found: dict[str, Any] = page.evaluate(SHOW, {"script": bundle.script("sample_viewer/picture.js"), "renewIn": renew_in_s})
    # then
    assert (found["asked"], found["shown"]) == (asked, shown)
    assert found["src"].endswith("turn=2")
    assert ("SAMPLE_ASSET_URL_REFUSED" in found["missing"]) is not shown
