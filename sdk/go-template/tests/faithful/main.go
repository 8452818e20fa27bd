// Writes what Go itself gives for each case of the golden files.
//
//	go run main.go cases/*.txt
//
// A case is a line `< template`; the line after it, `> output` or `! error`, is rewritten. A line break inside
// either is written as ⏎. The Rust tests read the same files, over the same data (`data.rs`).
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"text/template"
	"time"
)

type Severity uint8

func (s Severity) String() string               { return "crit" }
func (s Severity) MarshalText() ([]byte, error) { return []byte("crit"), nil }

type Address struct {
	Type    string `json:"type"`
	Address string `json:"address"`
}

type Contact struct {
	FullName  string    `json:"full_name"`
	Addresses []Address `json:"addresses"`
}

type Object struct {
	Name      string            `json:"name"`
	Url       string            `json:"url"`
	Tags      map[string]string `json:"tags"`
	ExtraTags map[string]string `json:"extra_tags,omitempty"`
}

type Incident struct {
	Id       int      `json:"id"`
	Url      string   `json:"url"`
	Severity Severity `json:"severity"`
}

type Event struct {
	Time    time.Time `json:"time"`
	Message string    `json:"message"`
	Secret  string    `json:"-"`
}

type Image struct {
	Domain string
	Path   string
}

func (i Image) String() string { return i.Domain + "/" + i.Path }

type Request struct {
	Contact  *Contact       `json:"contact"`
	Object   *Object        `json:"object"`
	Incident *Incident      `json:"incident"`
	Event    *Event         `json:"event"`
	Missing  *Incident      `json:"missing"`
	Image    Image          `json:"image"`
	Any      map[string]any `json:"any"`
	List     []any          `json:"list"`
	Words    []string       `json:"words"`
	Empty    []string       `json:"empty"`
	NilList  []string       `json:"nil_list"`
	NilMap   map[string]int `json:"nil_map"`
	Int      int            `json:"int"`
	Uint     uint64         `json:"uint"`
	Float    float64        `json:"float"`
	Yes      bool           `json:"yes"`
	No       bool           `json:"no"`
	Text     string         `json:"text"`
	Blank    string         `json:"blank"`
	Nothing  any            `json:"nothing"`
	Local    time.Time      `json:"local"`
}

func data() Request {
	at, _ := time.Parse(time.RFC3339Nano, "2026-11-22T04:49:53.181747244Z")
	local := time.Date(2026, time.March, 5, 14, 3, 9, 70_000_000, time.FixedZone("", 19800))
	return Request{
		Contact:  &Contact{"Icinga Admin", []Address{{"email", "admin@example.com"}, {"sms", "+49 1"}}},
		Object:   &Object{"dummy!disk", "http://localhost/x?a=1&b=2", map[string]string{"host": "dummy", "service": "disk", "a-b": "dash"}, nil},
		Incident: &Incident{1437, "http://localhost/i?id=1437", 7},
		Event:    &Event{at, "Something <went> wrong & \"é\"", "hidden"},
		Image:    Image{"docker.io", "library/nginx"},
		Any:      map[string]any{"s": "text", "n": 3, "f": 1.5, "nil": nil, "m": map[string]any{"k": "v"}, "l": []any{1, "two", nil}},
		List:     []any{1, "two", 3.5, true, nil},
		Words:    []string{"alpha", "beta", "gamma"},
		Empty:    []string{},
		Int:      42,
		Uint:     7,
		Float:    2.5,
		Yes:      true,
		Text:     "tick ' quote \" <b>&</b> ünï \\ end",
		Local:    local,
	}
}

func escapeMarkdown(s string) string {
	return strings.NewReplacer("_", "\\_", "*", "\\*", "[", "\\[", "`", "\\`").Replace(s)
}

var functions = template.FuncMap{
	"json": func(v any) (string, error) {
		out, err := json.Marshal(v)
		return string(out), err
	},
	"lower":          strings.ToLower,
	"upper":          strings.ToUpper,
	"trim":           strings.TrimSpace,
	"trimPrefix":     func(prefix, s string) string { return strings.TrimPrefix(s, prefix) },
	"trimSuffix":     func(suffix, s string) string { return strings.TrimSuffix(s, suffix) },
	"replace":        func(old, new, s string) string { return strings.ReplaceAll(s, old, new) },
	"escapeMarkdown": escapeMarkdown,
	"regexReplaceAll": func(re, repl, s string) (string, error) {
		compiled, err := regexp.Compile(re)
		if err != nil {
			return "", err
		}
		return compiled.ReplaceAllString(s, repl), nil
	},
}

func result(text string) string {
	parsed, err := template.New("t").Funcs(functions).Parse(text)
	var out bytes.Buffer
	if err == nil {
		err = parsed.Execute(&out, data())
	}
	if err != nil {
		return "! " + err.Error()
	}
	return "> " + out.String()
}

func main() {
	for _, file := range os.Args[1:] {
		content, err := os.ReadFile(file)
		if err != nil {
			panic(err)
		}
		var out []string
		lines := strings.Split(strings.TrimRight(string(content), "\n"), "\n")
		for _, line := range lines {
			text, isCase := strings.CutPrefix(line, "< ")
			switch {
			case isCase:
				out = append(out, line, strings.ReplaceAll(result(strings.ReplaceAll(text, "⏎", "\n")), "\n", "⏎"))
			case strings.HasPrefix(line, ">"), strings.HasPrefix(line, "!"):
			default:
				out = append(out, line)
			}
		}
		if err := os.WriteFile(file, []byte(strings.Join(out, "\n")+"\n"), 0o644); err != nil {
			panic(err)
		}
		fmt.Println(file)
	}
}
