"""Opens pages in Chromium, and says what axe-core finds on each, with all that folds opened.

Usage: look.py URL WIDTH HEIGHT light|dark COOKIES FOLDER|- PATH…
COOKIES: NAME=VALUE, several with semicolons between. Prints one JSON object: {"titles": [of each page], "problems": […]}. FOLDER takes a
picture of each page.
"""
import json, sys
from pathlib import Path

import chromium

url, width, height, scheme, cookies, folder = sys.argv[1:7]
driver = chromium.browser(width, height, scheme, "scripts")
titles, problems = [], []
try:
    driver.get(url + "/book")
    for cookie in cookies.split(";"):
        name, value = cookie.strip().split("=", 1)
        driver.execute_cdp_cmd("Network.setCookie", {"name": name, "value": value, "url": url, "path": "/"})
    for number, path in enumerate(sys.argv[7:]):
        driver.get(url + path)
        driver.execute_script("document.querySelectorAll('details').forEach(one => one.open = true)")
        titles.append(driver.title)
        problems += chromium.problems(driver, path, "scripts")
        if folder != "-":
            tall = driver.execute_script("return document.documentElement.scrollHeight")
            size = {"width": int(width), "height": tall, "deviceScaleFactor": 1, "mobile": False}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            driver.save_screenshot(str(Path(folder) / f"look-{number}-{width}-{scheme}.png"))
finally:
    driver.quit()
print(json.dumps({"titles": titles, "problems": problems}))
