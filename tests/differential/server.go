// The routes of routes.mjs on net/http. Answers the same questions on stdin as servers.mjs.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

const limit = 64
const late = 3 * time.Millisecond

type event struct {
	Event  string `json:"event"`
	ID     string `json:"id"`
	Method string `json:"method,omitempty"`
	Target string `json:"target,omitempty"`
	Length int64  `json:"length"`
	Hash   uint32 `json:"hash"`
}

// A connection whose bytes are counted. net/http runs it in one goroutine: while that goroutine is blocked in Read,
// nothing is left to do. Another goroutine watches for the client's end while a handler runs: it reads a single byte
// into a place of its own, outside of the buffer of the connection's reader.
type connection struct {
	*net.TCPConn
	read, written int64
	isBlocked     int32
	isClosed      int32
	mutex         sync.Mutex
	log           []event
	buffer        uintptr
	size          uintptr
}

func (c *connection) isWatch(p []byte) bool {
	at := uintptr(unsafe.Pointer(&p[0]))
	if c.buffer == 0 {
		c.buffer, c.size = at, uintptr(len(p))
	}
	return len(p) == 1 && (at < c.buffer || at >= c.buffer+c.size)
}

func (c *connection) Read(p []byte) (int, error) {
	if !c.isWatch(p) {
		atomic.StoreInt32(&c.isBlocked, 1)
	}
	n, err := c.TCPConn.Read(p)
	atomic.StoreInt32(&c.isBlocked, 0)
	atomic.AddInt64(&c.read, int64(n))
	return n, err
}

func (c *connection) Write(p []byte) (int, error) {
	atomic.AddInt64(&c.written, int64(len(p)))
	return c.TCPConn.Write(p)
}

func (c *connection) Close() error {
	atomic.StoreInt32(&c.isClosed, 1)
	return c.TCPConn.Close()
}

func (c *connection) note(e event) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.log = append(c.log, e)
}

func (c *connection) take() []event {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	taken := c.log
	c.log = []event{}
	return taken
}

var connections sync.Map

type listener struct{ *net.TCPListener }

func (l listener) Accept() (net.Conn, error) {
	accepted, err := l.AcceptTCP()
	if err != nil {
		return nil, err
	}
	c := &connection{TCPConn: accepted, log: []event{}}
	connections.Store(accepted.RemoteAddr().(*net.TCPAddr).Port, c)
	return c, nil
}

var routed = regexp.MustCompile(`^/([a-z-]+)[/-]\d{8}$`)
var numbered = regexp.MustCompile(`[/-](\d{8})`)

func handle(w http.ResponseWriter, r *http.Request) {
	_, port, _ := net.SplitHostPort(r.RemoteAddr)
	number, _ := strconv.Atoi(port)
	found, _ := connections.Load(number)
	c := found.(*connection)
	route, id := "", ""
	if match := routed.FindStringSubmatch(r.URL.EscapedPath()); match != nil {
		route = match[1]
	}
	if match := numbered.FindStringSubmatch(r.RequestURI); match != nil {
		id = match[1]
	}
	c.note(event{Event: "begin", ID: id, Method: r.Method, Target: r.RequestURI})
	defer c.note(event{Event: "answered", ID: id})
	w.Header().Set("X-Executed", id)
	w.Header().Set("X-Method", r.Method)
	switch route {
	case "read":
		readAll(w, r, c, id)
	case "read-late":
		time.Sleep(late)
		readAll(w, r, c, id)
	case "limit":
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		readAll(w, r, c, id)
	case "no-read", "smuggled":
		answer(w, 200, "done")
	case "no-read-late":
		time.Sleep(late)
		answer(w, 200, "done")
	case "refuse":
		answer(w, 413, "done")
	case "refuse-late":
		time.Sleep(late)
		answer(w, 403, "done")
	case "close":
		w.Header().Set("Connection", "close")
		answer(w, 200, "done")
	default:
		answer(w, 404, "")
	}
}

func answer(w http.ResponseWriter, status int, text string) {
	w.WriteHeader(status)
	io.WriteString(w, text)
}

func readAll(w http.ResponseWriter, r *http.Request, c *connection, id string) {
	hash := fnv.New32a()
	length, err := io.Copy(hash, r.Body)
	if err != nil {
		status := 400
		if strings.Contains(err.Error(), "too large") {
			status = 413
		}
		answer(w, status, "")
		return
	}
	c.note(event{Event: "read", ID: id, Length: length, Hash: hash.Sum32()})
	answer(w, 200, fmt.Sprintf("read %d", length))
}

func ask(what string, args []string) any {
	number := func(i int) int64 {
		n, _ := strconv.ParseInt(args[i], 10, 64)
		return n
	}
	if what == "left" {
		all := []any{}
		connections.Range(func(port, found any) bool {
			c := found.(*connection)
			all = append(all, map[string]any{"port": port, "log": c.take(), "isOpen": atomic.LoadInt32(&c.isClosed) == 0})
			return true
		})
		return all
	}
	found, isKnown := connections.Load(int(number(0)))
	if !isKnown {
		return map[string]any{"isIdle": false}
	}
	c := found.(*connection)
	if what == "log" {
		return c.take()
	}
	// In this order: the reader takes back isBlocked before it counts what it has read.
	isRead := atomic.LoadInt64(&c.read) == number(1)
	isIdle := isRead && atomic.LoadInt32(&c.isBlocked) == 1 && atomic.LoadInt32(&c.isClosed) == 0
	return map[string]any{"isIdle": isIdle, "written": atomic.LoadInt64(&c.written)}
}

func main() {
	bound, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		panic(err)
	}
	server := http.Server{Handler: http.HandlerFunc(handle), ErrorLog: log.New(io.Discard, "", 0)}
	go server.Serve(listener{bound})
	out := json.NewEncoder(os.Stdout)
	out.Encode(map[string]any{"port": bound.Addr().(*net.TCPAddr).Port})
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		id, _ := strconv.Atoi(words[0])
		out.Encode(map[string]any{"id": id, "result": ask(words[1], words[2:])})
	}
}
