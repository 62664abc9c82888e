"""The security headers of every answer: the Content-Security-Policy above all.

What the policy leaves open, and why; each of these was closed in turn while all of the page was used in a
browser, and the browser named what had gone:

- script-src 'unsafe-inline': gradio's page carries its configuration and its starters as inline scripts, and
  our own head a third; the configuration changes with the address, so there is no hash to name.
- script-src 'unsafe-eval': gradio makes a function of the text of `js_on_load` and of `js=` (new Function),
  as Vega, which draws the charts, does of its expressions.
- style-src 'unsafe-inline': components, Vega and gradio's theme set styles in the document.
- img-src data: and font-src data: signs of gradio's components stand in its style sheets; drawn images and
  sheets of ours stand in the answer itself.
- base-uri 'self': gradio's page has a <base> of its own.
- frame-ancestors: the Hub shows a Space inside its own page.

Everything else comes from this server or not at all: no other host is named, nothing is sent elsewhere
(connect-src, form-action), nothing is framed, there are no plug-ins (object-src), and an injected <base>
cannot lead scripts to another host.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SECURE = "https:"
_FRAMED_BY = " ".join(
    f"{_SECURE}//{host}" for host in ("huggingface.co", "*.huggingface.co", "hf.co", "*.hf.space")
)
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "media-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "form-action 'none'",
        "base-uri 'self'",
        "object-src 'none'",
        f"frame-ancestors 'self' {_FRAMED_BY}",
    )
)
HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}


class SecurityHeaders:
    """Puts the headers on every answer; those that the page behind it has set are replaced.

    Args:
        app: what is behind it.
    """

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, as ASGI wants it."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        await self._app(scope, receive, send_with_headers)
