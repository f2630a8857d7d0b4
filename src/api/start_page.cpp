#include "api/start_page.hpp"

namespace starling::api {

const std::string_view start_page_html = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Starling</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.6 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1.2rem; }
pre { padding: .8rem 1rem; border: 1px solid #8886; border-radius: .4rem; overflow-x: auto; font-size: .9rem; }
h1 { margin-bottom: 0; }
h2 { font-size: 1.1rem; margin-top: 2rem; }
li { margin: .2rem 0; }
</style>
</head>
<body>
<h1>Starling</h1>
<p>This node is running. It speaks the OpenAI API on this address.</p>
<h2>Ask it something</h2>
<pre>starling chat "Tell me a story about a lighthouse."</pre>
<p>or from any program:</p>
<pre>curl ADDRESS/v1/chat/completions -H 'content-type: application/json' \
  -d '{"model":"auto","messages":[{"role":"user","content":"Hello!"}],"stream":true}'</pre>
<p>An OpenAI client needs two settings: the base URL, which is this address followed by <code>/v1</code>, and an API
key, which may be any text unless the node was started with <code>--api-key-file</code>.</p>
<h2>Look at it</h2>
<ul>
<li><a href="/v1/models">/v1/models</a>: the models that it serves</li>
<li><a href="/api/status">/api/status</a>: what it is doing now</li>
<li><a href="/api/deployments">/api/deployments</a>: which node runs which layers</li>
<li><a href="/health">/health</a> and <a href="/metrics">/metrics</a>: for monitoring</li>
</ul>
<h2>No model yet?</h2>
<p><code>starling serve</code> serves the built-in starter model; <code>starling serve --model FILE.gguf</code> serves
yours.</p>
</body>
</html>
)html";

}  // namespace starling::api
