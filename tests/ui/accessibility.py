"""What axe finds wrong on a page, once nothing on it fades in or out any more."""

import json

from axe_playwright_python.sync_playwright import Axe

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}}
# A text that is still fading has too little contrast for a moment. Spinners turn for ever and are no matter.
AT_REST = """() => document.getAnimations().every(
    one => one.playState !== "running" || one.effect.getComputedTiming().iterations === Infinity)"""


def check_accessible(page, context=None):
    """Fail with the violations, up to three places of each rule.

    Args:
        page: of playwright.
        context: a selector of the part that is looked at; None for all.
    """
    page.wait_for_function(AT_REST)
    found = Axe().run(page, **({"context": context} if context else {}), options=RULES).response["violations"]
    faults = {
        fault["id"]: [
            (node["target"], node["html"][:160], node["failureSummary"][-200:]) for node in fault["nodes"]
        ][:3]
        for fault in found
    }
    assert faults == {}, json.dumps(faults, indent=1)
