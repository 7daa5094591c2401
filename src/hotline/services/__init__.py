"""One module per step of the loop; each public function is f(session, context, command) -> result."""
