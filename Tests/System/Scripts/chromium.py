"""Debian's Chromium, driven by Selenium, and axe-core on the pages that it shows."""
from pathlib import Path

import axe_core_python
from selenium import webdriver

AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def browser(width, height, scheme, scripts):
    """A window of this size, with light or dark colours; without scripts where `scripts` is "none"."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]:
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
    size = {"width": int(width), "height": int(height), "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": scripts == "none"})
    driver.set_script_timeout(30)
    driver.set_page_load_timeout(30)
    return driver


def problems(driver, name, scripts):
    """What does not fit into the window, and what axe-core finds on the page that is shown."""
    wide = driver.execute_script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
    found = [f"{name}: {wide} pixels too wide"] if wide > 0 else []
    if scripts == "none":
        return found
    driver.execute_script(AXE)
    result = driver.execute_async_script(
        "const end = arguments[1]; axe.run(document, {runOnly: {type: 'tag', values: arguments[0]}}).then(end, e => end(String(e)))", RULES)
    if isinstance(result, str) or not result["passes"]:
        raise SystemExit(f"axe-core did not run: {result}")
    for violation in result["violations"]:
        found += [f"{name}: {violation['id']}: {node['html'][:200]}: {node['failureSummary'][:300]}" for node in violation["nodes"]]
    return found
