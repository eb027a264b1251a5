"""An OpenID provider (oidc-provider-mock, on Authlib), held to PKCE and to the client's secret, and what makes it go wrong. Prints its port.

PUT /users/SUB sets a person's claims. POST /control takes JSON whose members stay until they are given anew: "claims" (put over those of
the next ID tokens; null takes one away), "key" ("own"; "new": another one, published; "foreign": one that is not; "forged": the same, under
the published one's name; "none": no signature), "info" (put over what the user info endpoint says), "basic" (false: the client's secret
comes in the form). GET /log tells how often each path was asked.
"""
import base64, collections, hashlib, json, os, urllib.parse, uuid
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
import flask, werkzeug.serving
from joserfc import jws
from joserfc.jwk import RSAKey
import oidc_provider_mock

CLIENT, SECRET = "usher", "secret & more"
app = oidc_provider_mock.app()
control = {"claims": {}, "info": {}, "key": "own", "basic": True}
asked, challenges = collections.Counter(), {}


def new_key():
    return RSAKey.generate_key(2048, {"kid": uuid.uuid4().hex}, private=True)


own, foreign = new_key(), new_key()


def plain(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def refuse(error):
    return flask.jsonify({"error": error, "error_description": "as asked"}), 400


@app.post("/control")
def set_control():
    global own
    control.update(flask.request.json)
    if control["key"] == "new":
        own, control["key"] = new_key(), "own"
    return ""


@app.get("/log")
def log():
    return flask.jsonify(asked)


@app.before_request
def check():
    asked[flask.request.path] += 1
    if flask.request.path == "/jwks":
        return flask.jsonify({"keys": [own.as_dict(private=False)]})
    if flask.request.path != "/oauth2/token":
        return None
    form, sent = flask.request.form, flask.request.authorization
    client = (form.get("client_id"), form.get("client_secret"))
    if control["basic"]:
        client = tuple(urllib.parse.unquote(part) for part in (sent.username, sent.password)) if sent else None
    if client != (CLIENT, SECRET):
        return refuse("invalid_client")
    challenge = challenges.pop(form.get("code"), None)
    if challenge != plain(hashlib.sha256(form.get("code_verifier", "").encode()).digest()):
        return refuse("invalid_grant")
    return None


@app.after_request
def change(response):
    path = flask.request.path
    if path == "/oauth2/authorize" and "Location" in response.headers:
        query = urllib.parse.parse_qs(urllib.parse.urlparse(response.headers["Location"]).query)
        if "code" in query and flask.request.args.get("code_challenge_method") == "S256":
            challenges[query["code"][0]] = flask.request.args["code_challenge"]
    elif path == "/.well-known/openid-configuration":
        method = "client_secret_basic" if control["basic"] else "client_secret_post"
        response.data = json.dumps(response.json | {"token_endpoint_auth_methods_supported": [method]})
    elif path == "/userinfo" and response.status_code == 200:
        response.data = json.dumps(response.json | control["info"])
    elif path == "/oauth2/token" and response.status_code == 200:
        answer = response.json
        body = answer["id_token"].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))) | control["claims"]
        payload = json.dumps({name: value for name, value in claims.items() if value is not None}).encode()
        key = foreign if control["key"] in ("foreign", "forged") else own
        name = own.kid if control["key"] == "forged" else key.kid
        if control["key"] == "none":
            answer["id_token"] = plain(b'{"alg":"none"}') + "." + plain(payload) + "."
        else:
            answer["id_token"] = jws.serialize_compact({"alg": "RS256", "kid": name}, payload, key)
        response.data = json.dumps(answer)
    return response


server = werkzeug.serving.make_server("127.0.0.1", 0, app, threaded=True)
print(server.server_port, flush=True)
server.serve_forever()
