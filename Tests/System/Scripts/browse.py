"""Goes a guest's whole way in Chromium with nothing but the keyboard: list, month, day, form, a mistake, done, join page.

Usage: browse.py URL WIDTH HEIGHT light|dark LANGUAGE scripts|none [FOLDER]
Prints one JSON object: {"pages": [names], "problems": [what axe-core finds, or what does not fit]}. FOLDER takes a picture of each page.
"""
import json, sys
from pathlib import Path

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

import chromium

LONGEST = 150  # presses of the tab key

url, width, height, scheme, language, scripts = sys.argv[1:7]
folder = Path(sys.argv[7]) if len(sys.argv) > 7 else None
pages, problems = [], []


def looks(name):
    pages.append(name)
    if folder:
        driver.save_screenshot(str(folder / f"{name}-{language}-{width}-{scheme}.png"))
    problems.extend(chromium.problems(driver, name, scripts))


def reach(selector):
    """Presses tab until what is focused matches."""
    for _ in range(LONGEST):
        focused = driver.switch_to.active_element
        if driver.execute_script("return arguments[0].matches(arguments[1])", focused, selector):
            return focused
        focused.send_keys(Keys.TAB)
    raise SystemExit(f"the keyboard does not reach {selector} at {driver.current_url}:\n{driver.page_source[-3000:]}")


def follow(selector, then):
    """Presses enter on what matches, and waits for the page that holds `then`."""
    page = driver.find_element(By.TAG_NAME, "html")
    reach(selector).send_keys(Keys.ENTER)
    wait = WebDriverWait(driver, 30)
    wait.until(lambda d: d.find_element(By.TAG_NAME, "html").id != page.id)
    wait.until(lambda d: d.find_elements(By.CSS_SELECTOR, then), f"no {then} at {driver.current_url}:\n{driver.page_source[-3000:]}")


def replace(selector, text):
    field = reach(selector)
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(text)


driver = chromium.browser(width, height, scheme, scripts)
try:
    driver.get(f"{url}/book?language={language}")
    looks("list")
    follow('a[href^="/book/visit"]', "select#timeZone")
    looks("month")
    follow('a[href*="day="]', "button[name=start]")
    looks("day")
    follow("button[name=start]", "#email")
    looks("form")
    for selector, text in [("#name", " "), ("#email", f"bo@{language}.example.org"), ("#q-reason", "A cough")]:
        replace(selector, text)
    reach("#q-place").send_keys(Keys.ARROW_DOWN)
    reach("#q-news").send_keys(Keys.SPACE)
    follow("form.stack button", "[aria-invalid]")
    looks("mistake")
    replace("#name", "Bo Li")
    follow("form.stack button", 'a[href*="/join/"]')
    looks("done")
    follow('a[href*="/join/"]', "main")
    looks("join")
finally:
    driver.quit()
print(json.dumps({"pages": pages, "problems": problems}))
