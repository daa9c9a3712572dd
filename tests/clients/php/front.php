<?php

declare(strict_types=1);

// A way to the server whose first connection is cut after the server has done the work; a process of its
// own, since PHP has one thread. Prints its port; its argument is that of the server.

$listener = stream_socket_server('tcp://127.0.0.1:0');
echo explode(':', stream_socket_get_name($listener, false))[1], "\n";
for ($cut = true; ; $cut = false) {
    $client = stream_socket_accept($listener, 60);
    if ($client === false) {
        exit;
    }
    $upstream = stream_socket_client("tcp://127.0.0.1:{$argv[1]}");
    for ($open = true; $open; ) {
        $ready = [$client, $upstream];
        $none = null;
        stream_select($ready, $none, $none, 60);
        foreach ($ready as $from) {
            $data = (string) fread($from, 65_536);
            $open = $open && $data !== '' && !($cut && $from === $upstream);
            if ($open) {
                fwrite($from === $client ? $upstream : $client, $data);
            }
        }
    }
    fclose($client);
    fclose($upstream);
}
