<?php

declare(strict_types=1);

/** The real binary as a child process on an empty database. */
final class Server
{
    public readonly int $port;
    private string $folder;
    /** @var resource */
    private $process;
    /** Kept open, so that the server can print. */
    private array $pipes = [];

    public function __construct()
    {
        $this->folder = sys_get_temp_dir() . '/bankfeed-client-' . bin2hex(random_bytes(8));
        mkdir($this->folder);
        $binary = getenv('BANKFEED_BINARY') ?: 'target/debug/bankfeed';
        $words = [$binary, 'serve', '--listen', '127.0.0.1:0', '--db', "{$this->folder}/bank.db"];
        $settings = ['BANKFEED_POLL_MS' => '50', 'BANKFEED_COOL_DOWN_TEST' => '0'];
        $streams = [1 => ['pipe', 'w'], 2 => ['file', '/dev/null', 'w']];
        $this->process = proc_open($words, $streams, $this->pipes, null, $settings + getenv());
        // The address is printed once the server takes requests.
        while (($line = fgets($this->pipes[1])) !== false) {
            if (preg_match('~http://127\.0\.0\.1:(\d+)~', $line, $found)) {
                $this->port = (int) $found[1];

                return;
            }
        }

        throw new RuntimeException('the server did not start');
    }

    public function stop(): void
    {
        proc_terminate($this->process);
        proc_close($this->process);
        array_map('unlink', glob("{$this->folder}/*"));
        rmdir($this->folder);
    }
}

/** A webhook endpoint that keeps what it is sent. It takes connections while something is waited for. */
final class Inbox
{
    private const WAIT_S_MAX = 30;
    public readonly string $url;
    /** @var resource */
    private $listener;
    /** @var array<array{string, string}> the text that was signed, and the signature */
    private array $deliveries = [];

    public function __construct()
    {
        $this->listener = stream_socket_server('tcp://127.0.0.1:0');
        $this->url = 'http://' . stream_socket_get_name($this->listener, false) . '/webhook';
    }

    /** What `$find` makes of the first delivery of which it makes anything; waits for it. */
    public function wait(string $what, callable $find): mixed
    {
        $end = hrtime(true) + self::WAIT_S_MAX * 1_000_000_000;
        for ($seen = 0; ; ++$seen) {
            while ($seen >= count($this->deliveries)) {
                $left = intdiv($end - hrtime(true), 1_000_000_000);
                $stream = $left > 0 ? @stream_socket_accept($this->listener, $left) : false;
                if ($stream === false) {
                    throw new RuntimeException('waited ' . self::WAIT_S_MAX . " s for {$what}");
                }
                $this->receive($stream);
            }
            $found = $find(...$this->deliveries[$seen]);
            if ($found !== null) {
                return $found;
            }
        }
    }

    /** @param resource $stream */
    private function receive($stream): void
    {
        $length = 0;
        $signature = '';
        while (($line = rtrim((string) fgets($stream))) !== '') {
            [$name, $value] = explode(':', $line, 2) + [1 => ''];
            match (strtolower($name)) {
                'content-length' => $length = (int) $value,
                'stripe-signature' => $signature = trim($value),
                default => null,
            };
        }
        $this->deliveries[] = [(string) stream_get_contents($stream, $length), $signature];
        fwrite($stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        fclose($stream);
    }
}
