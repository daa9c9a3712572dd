# The real binary as a child process, an inbox for webhooks, and a way to the server that fails.

require "socket"
require "tmpdir"

# The server on an empty database.
class Server
  attr_reader :port

  def initialize
    @folder = Dir.mktmpdir("bankfeed-client-")
    binary = ENV.fetch("BANKFEED_BINARY", "target/debug/bankfeed")
    settings = { "BANKFEED_POLL_MS" => "50", "BANKFEED_COOL_DOWN_TEST" => "0" }
    words = ["serve", "--listen", "127.0.0.1:0", "--db", File.join(@folder, "bank.db")]
    @output, writer = IO.pipe
    @pid = spawn(settings, binary, *words, out: writer, err: File::NULL)
    writer.close
    # The address is printed once the server takes requests.
    line = @output.each_line.find { |text| text.include?("http://127.0.0.1:") }
    raise "the server did not start" unless line

    @port = line[%r{http://127\.0\.0\.1:(\d+)}, 1].to_i
  end

  def url
    "http://127.0.0.1:#{port}"
  end

  def stop
    Process.kill("TERM", @pid)
    Process.wait(@pid)
    FileUtils.remove_entry(@folder)
  end
end

# A webhook endpoint that keeps what it is sent: the text that was signed, and the signature.
class Inbox
  WAIT_S_MAX = 30

  def initialize
    @deliveries = []
    @mutex = Mutex.new
    @came = ConditionVariable.new
    @server = TCPServer.new("127.0.0.1", 0)
    Thread.new { loop { Thread.new(@server.accept) { |stream| receive(stream) } } }
  end

  def url
    "http://127.0.0.1:#{@server.addr[1]}/webhook"
  end

  # What the block makes of the first delivery of which it makes anything; waits for it.
  def wait(what)
    ends = Process.clock_gettime(Process::CLOCK_MONOTONIC) + WAIT_S_MAX
    seen = 0
    @mutex.synchronize do
      loop do
        while seen < @deliveries.size
          found = yield(*@deliveries[(seen += 1) - 1])
          return found if found
        end
        left = ends - Process.clock_gettime(Process::CLOCK_MONOTONIC)
        raise "waited #{WAIT_S_MAX} s for #{what}" if left <= 0

        @came.wait(@mutex, left)
      end
    end
  end

  private

  def receive(stream)
    while stream.gets
      headers = {}
      while (line = stream.gets&.chomp) && !line.empty?
        name, value = line.split(":", 2)
        headers[name.downcase] = value.strip
      end
      body = stream.read(headers.fetch("content-length").to_i)
      @mutex.synchronize do
        @deliveries << [body, headers["stripe-signature"]]
        @came.broadcast
      end
      stream.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    end
  ensure
    stream.close
  end
end

# A way to the server whose first connection is cut after the server has done the work.
class CutOnce
  def initialize(server)
    @server = server
    @front = TCPServer.new("127.0.0.1", 0)
    Thread.new do
      cut = true
      loop do
        Thread.new(@front.accept, cut) { |client, first| forward(client, first) }
        cut = false
      end
    end
  end

  def port
    @front.addr[1]
  end

  private

  def forward(client, cut)
    upstream = TCPSocket.new("127.0.0.1", @server)
    Thread.new { IO.copy_stream(client, upstream) }
    cut ? upstream.readpartial(1) : IO.copy_stream(upstream, client)
  ensure
    client.close
    upstream&.close
  end
end
