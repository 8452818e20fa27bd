"""Takes one message out of a queue and prints it as JSON, or null."""
import json
import sys

import pika

port, vhost, user, password, queue = sys.argv[1:]
credentials = pika.PlainCredentials(user, password)
connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", int(port), vhost, credentials))
method, properties, body = connection.channel().basic_get(queue, auto_ack=True)
message = method and {
    "exchange": method.exchange,
    "routing_key": method.routing_key,
    "content_type": properties.content_type,
    "headers": properties.headers,
    "delivery_mode": properties.delivery_mode,
    "message_id": properties.message_id,
    "body": body.decode(),
}
print(json.dumps(message))
connection.close()
