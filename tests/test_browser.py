"""The pages in a real browser, headless Chromium: nothing broken, nothing cut off, light and dark.

Needs `chromium` and `chromedriver` on the PATH; the README says how to get them.
"""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from examples.runs import changed, quick, run
from examples.sweep import GRID, RESULTS, account
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.expected_conditions import element_to_be_clickable
from selenium.webdriver.support.ui import WebDriverWait

from flows.settings import Settings
from tasks.report.sweep_report import write_sweep_report

pytestmark = pytest.mark.slow

PHONE, DESKTOP = 390, 1280
# With the number of pictures on each.
PAGES = {
    "artifacts/latest/report.html": 8,
    "artifacts/sweeps/heat/report.html": 1,
    "artifacts/index.html": 0,
}

# The least contrast of any text with what is behind it, and that text. Text in pictures aside.
CONTRAST = """
const luminance = colour => {
  const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map(value => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const behind = element => {
  for (let each = element; each; each = each.parentElement) {
    const colour = getComputedStyle(each).backgroundColor;
    if (colour !== "rgba(0, 0, 0, 0)") return colour;
  }
  return "rgb(255, 255, 255)";
};
const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
let least = [Infinity, ""];
while (walker.nextNode()) {
  const text = walker.currentNode, element = text.parentElement;
  if (!text.data.trim() || element.closest("title")) continue;
  const style = getComputedStyle(element);
  const ink = luminance(element.closest("svg") ? style.fill : style.color);
  const paper = luminance(behind(element));
  const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  if (ratio < least[0]) least = [ratio, text.data.trim()];
}
return least;
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    """Start a browser; without one the test fails, for nobody would notice that it was skipped."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.fail(
            "no chromium and chromedriver on the PATH, which this test opens the report with. On "
            "Debian: apt install chromium chromium-driver. To leave it out: "
            "pytest --ignore tests/test_browser.py"
        )
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    options.add_argument("--headless=new")
    options.add_argument("--hide-scrollbars")  # they take room of a desktop page
    options.add_argument("--disable-dev-shm-usage")  # containers have little of it
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium refuses to sandbox for root
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield chrome
    finally:
        chrome.quit()


@pytest.fixture(scope="module")
def folder(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a sweep and two runs, the second on distorted images of other data."""
    folder = tmp_path_factory.mktemp("pages") / "copy"
    shutil.copytree(finished, folder, symlinks=True)
    settings = quick(folder / "small.csv", folder / "artifacts")
    rows = settings.csv.read_text().splitlines()
    settings.csv.write_text("\n".join(rows + [row for row in rows if row[-1] in "01"] * 5) + "\n")
    run(changed(settings, training={"distortion": 1.5}))
    (folder / "artifacts/sweeps/heat").mkdir(parents=True)
    write_sweep_report(folder / "artifacts/sweeps/heat", account(GRID), RESULTS)
    return folder


def show(
    browser: webdriver.Chrome, page: str, *, width: int = DESKTOP, scheme: str = "light"
) -> None:
    """Open a page on a screen of some width, in light or dark, with the logs emptied."""
    screen = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width == PHONE}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    browser.get("about:blank")
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(page)


def asked_for(browser: webdriver.Chrome) -> set[str]:
    """Return the addresses that the page has asked for since it was opened."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    sent = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
    return {request["request"]["url"] for request in sent}


@pytest.mark.parametrize("page", PAGES)
def test_nothing_is_broken_and_nothing_is_fetched(
    browser: webdriver.Chrome, folder: Path, page: str
) -> None:
    """No word on the console, every picture decodes, and no address but the file's own is asked."""
    show(browser, (folder / page).as_uri())
    assert browser.get_log("browser") == []
    sizes = browser.execute_script("return [...document.images].map(image => image.naturalWidth)")
    assert 0 not in sizes
    assert len(sizes) == PAGES[page]
    assert {urlsplit(url).scheme for url in asked_for(browser)} <= {"file", "data"}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_nothing_is_wider_than_the_screen(
    browser: webdriver.Chrome, folder: Path, page: str, width: int
) -> None:
    """No page has to be pushed sideways, and on a phone no table has to be either.

    But for that of a sweep's points, which have any number of settings.
    """
    show(browser, (folder / page).as_uri(), width=width)
    wide = browser.execute_script(
        "return [document.documentElement, ...document.querySelectorAll(arguments[0])]"
        ".filter(each => each.scrollWidth > each.clientWidth).map(each => each.outerHTML)",
        "figure" if "sweeps" in page else ".table, figure",
    )
    assert wide == []
    assert browser.execute_script("return document.documentElement.clientWidth") == width


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_text_can_be_read_in_light_and_dark(
    browser: webdriver.Chrome, folder: Path, page: str, scheme: str, dark: bool
) -> None:
    """The page is dark when the reader's screen is; any text has the contrast WCAG 2 asks for."""
    show(browser, (folder / page).as_uri(), scheme=scheme)
    ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    brightness = sum(map(int, ground.removeprefix("rgb(").removesuffix(")").split(","))) / 765
    assert (brightness < 0.15) if dark else (brightness > 0.9)
    ratio, text = browser.execute_script(CONTRAST)
    assert ratio >= 4.5, text


def test_links_of_the_index_lead_to_the_reports(browser: webdriver.Chrome, folder: Path) -> None:
    """A click on a run opens its report."""
    show(browser, (folder / "artifacts/index.html").as_uri())
    first = browser.find_element("css selector", "tbody a")
    name = first.text
    browser.execute_script("arguments[0].click()", first)  # wherever the page is scrolled to
    WebDriverWait(browser, 10).until(lambda chrome: name in chrome.title)


def test_prefect_shows_the_report_with_its_pictures(
    browser: webdriver.Chrome, server: str, settings: Settings
) -> None:
    """The artifact's page in Prefect's own UI shows every picture of the report."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId

    published = run(settings)
    recorded = json.loads((published.directory / "manifest.json").read_text())
    own = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[recorded["flow_run_id"]]))
    with get_client(sync_client=True) as client:
        (report,) = [
            artifact
            for artifact in client.read_artifacts(artifact_filter=own)
            if artifact.key == "retraining-report"
        ]
    show(browser, f"{server.removesuffix('/api')}/artifacts/artifact/{report.id}")

    def pictures(chrome: webdriver.Chrome) -> Any:
        return chrome.execute_script(
            "return [...document.images].filter(image => image.src.startsWith('data:image/png'))"
            ".map(image => image.naturalWidth)"
        )

    assert report.data is not None
    expected = str(report.data).count("data:image/png")
    assert expected == 5  # all but the charts of the run itself, which are tables there
    WebDriverWait(browser, 60).until(lambda chrome: len(pictures(chrome)) == expected)
    WebDriverWait(browser, 10).until(lambda chrome: 0 not in pictures(chrome))
    assert "test digits recognised" in browser.find_element("tag name", "body").text


def test_a_recipe_chosen_in_prefects_form_is_what_trains(
    browser: webdriver.Chrome, server: str
) -> None:
    """The form is opened, a recipe chosen and nothing else touched: training is the recipe's.

    Nobody but the server hears of it.
    """
    from flows.retrain import retrain

    given = {"settings": {"recipe": "classic"}}
    deployment = retrain.to_deployment("form", parameters=given).apply()
    show(browser, f"{server.removesuffix('/api')}/v2/deployments/deployment/{deployment}/run")
    waiting = WebDriverWait(browser, 60)
    for place in ("//button[normalize-space()='classic']", "//*[@role='option'][.='best']"):
        waiting.until(element_to_be_clickable(("xpath", place))).click()

    def started(chrome: webdriver.Chrome) -> Any:
        """Submit the form if it is still there: a busy server may have refused the run."""
        chrome.execute_script(
            "[...document.querySelectorAll('button')]"
            ".filter(each => each.textContent === 'Submit').forEach(each => each.click())"
        )
        asked = {"deployments": {"id": {"any_": [str(deployment)]}}}
        return httpx.post(f"{server}/flow_runs/filter", json=asked).json()

    run, *_ = waiting.until(started)
    sent = Settings.model_validate(run["parameters"]["settings"])
    assert sent == Settings.model_validate({"recipe": "best"})
    hosts = {urlsplit(url).netloc for url in asked_for(browser)}
    assert hosts - {""} == {urlsplit(server).netloc}  # a data URL has none
