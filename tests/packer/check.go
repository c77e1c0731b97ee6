// Command check judges a Packer template with HashiCorp's own HCL library (Debian's golang-github-hashicorp-hcl-v2-dev):
//
//	check TEMPLATE_DIRECTORY ATTRIBUTES VALUES OUTPUT_DIRECTORY
//
// It parses every .hcl file, evaluates the template as Packer would with the example's variables, and compares what
// comes out with what a master target needs. Scripts and the kickstart, as the guest gets them, are left in
// OUTPUT_DIRECTORY. Exit status 0: all holds; 1: something does not; 2: wrong usage.
package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

var passed, failed int

func expect(holds bool, format string, args ...interface{}) bool {
	if holds {
		passed++
		fmt.Printf("ok      "+format+"\n", args...)
	} else {
		failed++
		fmt.Printf("NOT OK  "+format+"\n", args...)
	}
	return holds
}

// finish says how it went, and how it ended.
func finish() {
	fmt.Printf("check: %d passed, %d failed\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
	os.Exit(0)
}

// pathFunction is one of Packer's functions of file names.
func pathFunction(f func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			result, err := f(args[0].AsString())
			return cty.StringVal(result), err
		},
	})
}

// Of Packer's functions those that the template has a use for: another one is an error here, and to be added if Packer has it.
var functions = map[string]function.Function{
	"abspath":  pathFunction(filepath.Abs),
	"basename": pathFunction(func(path string) (string, error) { return filepath.Base(path), nil }),
	"dirname":  pathFunction(func(path string) (string, error) { return filepath.Dir(path), nil }),
	"file": pathFunction(func(path string) (string, error) {
		text, err := os.ReadFile(path)
		return string(text), err
	}),
	"can":      tryfunc.CanFunc,
	"compact":  stdlib.CompactFunc,
	"contains": stdlib.ContainsFunc,
	"join":     stdlib.JoinFunc,
	"length":   stdlib.LengthFunc,
	"regex":    stdlib.RegexFunc,
}

func context(variables map[string]cty.Value) *hcl.EvalContext {
	return &hcl.EvalContext{Variables: variables, Functions: functions}
}

type variable struct {
	name, description, typeText, defaultText string
	kind                                     cty.Type
	fallback                                 *cty.Value
	sensitive                                bool
	conditions                               []hcl.Expression
}

// accepts converts a value to the variable's type and asks all its conditions.
func (v *variable) accepts(value cty.Value) (cty.Value, error) {
	value, err := convert.Convert(value, v.kind)
	if err != nil {
		return value, err
	}
	given := context(map[string]cty.Value{"var": cty.ObjectVal(map[string]cty.Value{v.name: value})})
	for _, condition := range v.conditions {
		verdict, diagnostics := condition.Value(given)
		if diagnostics.HasErrors() {
			return value, fmt.Errorf("its condition cannot be evaluated: %s", diagnostics.Error())
		}
		if verdict.Type() != cty.Bool || verdict.IsNull() {
			return value, fmt.Errorf("its condition is neither true nor false")
		}
		if verdict.False() {
			return value, errRefused
		}
	}
	return value, nil
}

var errRefused = fmt.Errorf("refused by its condition")

// template is all that was read.
type template struct {
	sources   map[string][]byte
	bodies    map[string]*hclsyntax.Body
	variables map[string]*variable
}

func (t *template) text(r hcl.Range) string { return string(r.SliceBytes(t.sources[r.Filename])) }

// blocks are those of one kind, of the *.pkr.hcl files in the order of their names.
func (t *template) blocks(kind string) []*hclsyntax.Block {
	var names []string
	for name := range t.bodies {
		if strings.HasSuffix(name, ".pkr.hcl") {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	var found []*hclsyntax.Block
	for _, name := range names {
		for _, block := range t.bodies[name].Blocks {
			if kind == "" || block.Type == kind {
				found = append(found, block)
			}
		}
	}
	return found
}

func parse(directory string) *template {
	t := &template{map[string][]byte{}, map[string]*hclsyntax.Body{}, map[string]*variable{}}
	paths, _ := filepath.Glob(filepath.Join(directory, "*.hcl"))
	expect(len(paths) >= 3, "there are templates and an example of variables (%d files)", len(paths))
	parser := hclparse.NewParser()
	for _, path := range paths {
		file, diagnostics := parser.ParseHCLFile(path)
		if expect(!diagnostics.HasErrors(), "%s parses", filepath.Base(path)) {
			t.bodies[path] = file.Body.(*hclsyntax.Body)
			t.sources[path] = file.Bytes
		} else {
			fmt.Println(diagnostics.Error())
		}
	}
	if failed > 0 {
		finish()
	}
	known := "packer variable locals source build"
	for _, block := range t.blocks("") {
		if !strings.Contains(" "+known+" ", " "+block.Type+" ") {
			expect(false, "%s is a block that Packer knows", block.Type)
		}
	}
	return t
}

// literal is the value of an expression without variables.
func literal(attribute *hclsyntax.Attribute) (cty.Value, bool) {
	if attribute == nil {
		return cty.NilVal, false
	}
	value, diagnostics := attribute.Expr.Value(nil)
	return value, !diagnostics.HasErrors()
}

func word(attribute *hclsyntax.Attribute) string {
	value, ok := literal(attribute)
	if !ok || value.Type() != cty.String {
		return ""
	}
	return value.AsString()
}

func (t *template) requirements() {
	blocks := t.blocks("packer")
	if !expect(len(blocks) == 1, "there is one packer block") {
		return
	}
	expect(word(blocks[0].Body.Attributes["required_version"]) != "", "the version of Packer is bounded")
	source, version := "", ""
	for _, plugins := range blocks[0].Body.Blocks {
		if value, ok := literal(plugins.Body.Attributes["vsphere"]); ok && value.Type().IsObjectType() {
			fields := value.AsValueMap()
			source, version = fields["source"].AsString(), fields["version"].AsString()
		}
	}
	expect(source == "github.com/hashicorp/vsphere", "the plugin is github.com/hashicorp/vsphere")
	expect(regexp.MustCompile(`^~> [0-9]+[.][0-9]+`).MatchString(version), "the plugin's version is bounded on both sides")
}

// Packer wants messages that are sentences.
var sentence = regexp.MustCompile(`^[A-Z].*[.?]$`)

var secret = regexp.MustCompile(`password|secret|hash|username|token`)

func (t *template) declarations() {
	for _, block := range t.blocks("variable") {
		v := &variable{name: block.Labels[0]}
		if !expect(t.variables[v.name] == nil, "%s is declared once", v.name) {
			continue
		}
		t.variables[v.name] = v
		for name, attribute := range block.Body.Attributes {
			switch name {
			case "type":
				kind, diagnostics := typeexpr.TypeConstraint(attribute.Expr)
				if expect(!diagnostics.HasErrors(), "%s: its type is one", v.name) {
					v.kind, v.typeText = kind, t.text(attribute.Expr.Range())
				}
			case "description":
				v.description = word(attribute)
			case "sensitive":
				value, ok := literal(attribute)
				v.sensitive = ok && value.Type() == cty.Bool && value.True()
			case "default":
				if value, ok := literal(attribute); expect(ok, "%s: its default is a literal", v.name) {
					v.fallback, v.defaultText = &value, t.text(attribute.Expr.Range())
				}
			default:
				expect(false, "%s: %s is an attribute of variables", v.name, name)
			}
		}
		if !expect(v.kind != cty.NilType, "%s has a type", v.name) {
			v.kind = cty.DynamicPseudoType
		}
		expect(sentence.MatchString(v.description), "%s has a description", v.name)
		for _, inner := range block.Body.Blocks {
			if !expect(inner.Type == "validation", "%s: %s is a block of variables", v.name, inner.Type) {
				continue
			}
			expect(sentence.MatchString(word(inner.Body.Attributes["error_message"])), "%s: its message is a sentence", v.name)
			condition := inner.Body.Attributes["condition"]
			if !expect(condition != nil, "%s: its validation has a condition", v.name) {
				continue
			}
			own := true
			for _, traversal := range condition.Expr.Variables() {
				own = own && t.text(traversal.SourceRange()) == "var."+v.name
			}
			expect(own, "%s: its condition looks at nothing else", v.name)
			v.conditions = append(v.conditions, condition.Expr)
		}
		if v.fallback != nil {
			_, err := v.accepts(*v.fallback)
			expect(err == nil, "%s: its default is accepted", v.name)
		}
		if secret.MatchString(v.name) {
			expect(v.sensitive && v.fallback == nil && len(v.conditions) > 0, "%s: a secret is sensitive, validated and without default", v.name)
		} else {
			expect(!v.sensitive, "%s: what is no secret is not hidden", v.name)
		}
	}
	if insecure := t.variables["insecure_connection"]; expect(insecure != nil, "insecure_connection is declared") {
		expect(insecure.fallback != nil && insecure.fallback.RawEquals(cty.False), "certificates are checked by default")
	}
}

// uses compares what is declared with what is used, outside of the declarations.
func (t *template) uses() {
	used := map[string]bool{}
	for _, block := range t.blocks("") {
		if block.Type == "variable" {
			continue
		}
		hclsyntax.VisitAll(block.Body, func(node hclsyntax.Node) hcl.Diagnostics {
			if reference, ok := node.(*hclsyntax.ScopeTraversalExpr); ok && reference.Traversal.RootName() == "var" && len(reference.Traversal) > 1 {
				if step, ok := reference.Traversal[1].(hcl.TraverseAttr); ok {
					used[step.Name] = true
				}
			}
			return nil
		})
	}
	for name := range used {
		expect(t.variables[name] != nil, "var.%s, which is used, is declared", name)
	}
	for name := range t.variables {
		expect(used[name], "%s, which is declared, is used", name)
	}
}

var row = regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| `([^`]+)` \\| (`([^`]+)`|required) \\| (.*) \\|$")

// documented compares the table of README.md, both ways.
func (t *template) documented(directory string) {
	text, err := os.ReadFile(filepath.Join(directory, "README.md"))
	if !expect(err == nil, "README.md can be read") {
		return
	}
	described := map[string]bool{}
	for _, match := range row.FindAllStringSubmatch(string(text), -1) {
		name, kind, fallback, meaning := match[1], match[2], match[4], match[5]
		described[name] = true
		v := t.variables[name]
		if !expect(v != nil, "%s, which README.md has, is declared", name) {
			continue
		}
		expect(v.typeText == kind, "%s: README.md has its type", name)
		expect(v.defaultText == fallback, "%s: README.md has its default", name)
		expect(v.description == meaning, "%s: README.md has its meaning", name)
	}
	for name := range t.variables {
		expect(described[name], "%s is in README.md", name)
	}
}

// judged tries the conditions by values that are known to be good or bad.
func (t *template) judged(path string) {
	file, diagnostics := hclparse.NewParser().ParseHCLFile(path)
	if !expect(!diagnostics.HasErrors(), "%s parses", filepath.Base(path)) {
		return
	}
	attributes, _ := file.Body.JustAttributes()
	for name, v := range t.variables {
		_, tried := attributes[name]
		expect(tried == (len(v.conditions) > 0), "%s: it has values to try if it is validated", name)
	}
	for name, attribute := range attributes {
		v := t.variables[name]
		value, diagnostics := attribute.Expr.Value(nil)
		if !expect(v != nil && !diagnostics.HasErrors(), "%s: its values to try can be read", name) {
			continue
		}
		for kind, list := range value.AsValueMap() {
			expect(list.LengthInt() > 0, "%s: there are %s values", name, kind)
			for i, one := range list.AsValueSlice() {
				_, err := v.accepts(one)
				if kind == "good" {
					expect(err == nil, "%s: good value %d is accepted", name, i+1)
				} else {
					expect(err == errRefused, "%s: bad value %d is refused", name, i+1)
				}
			}
		}
	}
}

// assigned are the variables that the example sets.
func (t *template) assigned(directory string) map[string]cty.Value {
	values := map[string]cty.Value{}
	body := t.bodies[filepath.Join(directory, "example.pkrvars.hcl")]
	if !expect(body != nil, "there is an example of variables") {
		return values
	}
	expect(len(body.Blocks) == 0, "the example has attributes only")
	for name, attribute := range body.Attributes {
		v := t.variables[name]
		if !expect(v != nil, "%s, which the example sets, is declared", name) {
			continue
		}
		given, ok := literal(attribute)
		if !expect(ok, "%s: the example's value is a literal", name) {
			continue
		}
		// A number is a string too for HCL, but nobody would want it taken so.
		same := given.Type() == v.kind || !given.Type().IsPrimitiveType() && !v.kind.IsPrimitiveType()
		value, err := v.accepts(given)
		if expect(same && err == nil, "%s: the example's value has its type and is accepted", name) {
			values[name] = value
		}
	}
	for name, v := range t.variables {
		if v.fallback == nil {
			expect(body.Attributes[name] != nil, "%s, which has no default, is in the example", name)
		}
	}
	return values
}

// evaluation is the template under one set of variables.
type evaluation struct {
	*template
	name    string
	context *hcl.EvalContext
}

func (t *template) evaluate(name string, values map[string]cty.Value) *evaluation {
	all := map[string]cty.Value{}
	for name, v := range t.variables {
		if value, ok := values[name]; ok {
			all[name] = value
		} else if v.fallback != nil {
			all[name], _ = convert.Convert(*v.fallback, v.kind)
		}
	}
	e := &evaluation{t, name, context(map[string]cty.Value{"var": cty.ObjectVal(all)})}
	locals := map[string]cty.Value{}
	for _, block := range t.blocks("locals") {
		for name, attribute := range block.Body.Attributes {
			if value, ok := e.value(attribute); ok {
				locals[name] = value
			}
		}
	}
	e.context = context(map[string]cty.Value{"var": cty.ObjectVal(all), "local": cty.ObjectVal(locals)})
	return e
}

func (e *evaluation) value(attribute *hclsyntax.Attribute) (cty.Value, bool) {
	value, diagnostics := attribute.Expr.Value(e.context)
	if !expect(!diagnostics.HasErrors(), "%s: %s can be evaluated", e.name, attribute.Name) {
		fmt.Println(diagnostics.Error())
		return cty.NilVal, false
	}
	return value, true
}

// take evaluates the attributes of a block, each of which has to be known, with its type.
func (e *evaluation) take(body *hclsyntax.Body, prefix string, known map[string]string) map[string]cty.Value {
	values := map[string]cty.Value{}
	for name, attribute := range body.Attributes {
		kind, ok := known[prefix+name]
		if !expect(ok, "%s: %s%s is an attribute that is known", e.name, prefix, name) {
			continue
		}
		value, ok := e.value(attribute)
		if !ok {
			continue
		}
		expression, _ := hclsyntax.ParseExpression([]byte(kind), "type", hcl.InitialPos)
		wanted, diagnostics := typeexpr.TypeConstraint(expression)
		converted, err := convert.Convert(value, wanted)
		if expect(!diagnostics.HasErrors() && err == nil, "%s: %s%s is a %s", e.name, prefix, name, kind) {
			values[name] = converted
		}
	}
	return values
}

func quoted(value cty.Value) string {
	if value == cty.NilVal || value.IsNull() {
		return ""
	}
	text, err := convert.Convert(value, cty.String)
	if err != nil {
		return fmt.Sprintf("%#v", value)
	}
	return text.AsString()
}

func list(words ...string) cty.Value {
	var values []cty.Value
	for _, word := range words {
		values = append(values, cty.StringVal(word))
	}
	return cty.ListVal(values)
}

// machine judges the VM.
func (e *evaluation) machine(known map[string]string, output string) {
	sources := e.blocks("source")
	if !expect(len(sources) == 1 && sources[0].Labels[0] == "vsphere-iso", "%s: one source, of vsphere-iso", e.name) {
		return
	}
	body := sources[0].Body
	got := e.take(body, "", known)
	for name, wanted := range map[string]cty.Value{
		"firmware":                    cty.StringVal("bios"),
		"CPUs":                        cty.NumberIntVal(4),
		"RAM":                         cty.NumberIntVal(6144),
		"disk_controller_type":        list("lsilogic-sas"),
		"remove_cdrom":                cty.True,
		"convert_to_template":         cty.True,
		"ssh_username":                cty.StringVal("root"),
		"ssh_file_transfer_method":    cty.StringVal("sftp"),
		"ssh_key_exchange_algorithms": list("diffie-hellman-group-exchange-sha256", "diffie-hellman-group14-sha1"),
		"shutdown_command":            cty.StringVal("nohup sh -c 'sleep 2; sync; /sbin/poweroff -f' >/dev/null 2>&1 &"),
	} {
		expect(got[name] != cty.NilVal && got[name].RawEquals(wanted), "%s: %s is what a master target needs", e.name, name)
	}
	for name, reference := range map[string]string{
		"vcenter_server": "var.vcenter_server", "username": "var.vcenter_username", "password": "var.vcenter_password",
		"insecure_connection": "var.insecure_connection", "datacenter": "var.datacenter", "cluster": "var.cluster",
		"host": "var.host", "datastore": "var.datastore", "folder": "var.folder", "vm_name": "var.vm_name",
		"guest_os_type": "var.guest_os_type", "iso_url": "var.iso_url", "iso_checksum": "var.iso_checksum",
		"cd_files": "var.tools_packages", "ssh_password": "var.ssh_password",
	} {
		attribute := body.Attributes[name]
		expect(attribute != nil && e.text(attribute.Expr.Range()) == reference, "%s: %s is the site's", e.name, name)
	}
	for _, name := range []string{"http_directory", "http_content", "create_snapshot", "boot_order", "disable_shutdown"} {
		expect(body.Attributes[name] == nil, "%s: %s is not set", e.name, name)
	}
	parameters := got["configuration_parameters"]
	uuid := ""
	if parameters != cty.NilVal {
		uuid = quoted(parameters.AsValueMap()["disk.EnableUUID"])
	}
	expect(uuid == "TRUE", "%s: disk.EnableUUID is TRUE", e.name)

	disks, nics := 0, 0
	for _, block := range body.Blocks {
		inner := e.take(block.Body, block.Type+".", known)
		switch block.Type {
		case "storage":
			disks++
			expect(quoted(inner["disk_size"]) == "102400" && quoted(inner["disk_thin_provisioned"]) == "true", "%s: the disk has 100 GB, thin", e.name)
		case "network_adapters":
			nics++
			expect(quoted(inner["network_card"]) == "vmxnet3" && quoted(inner["network"]) != "", "%s: the network adapter is a vmxnet3", e.name)
		default:
			expect(false, "%s: %s is a block that is known", e.name, block.Type)
		}
	}
	expect(disks == 1, "%s: the system's disk is the only one", e.name)
	expect(nics == 1, "%s: there is one network adapter", e.name)

	keys := ""
	if got["boot_command"] != cty.NilVal {
		for _, line := range got["boot_command"].AsValueSlice() {
			keys += line.AsString()
		}
	}
	expect(strings.HasPrefix(keys, "<tab> ") && strings.HasSuffix(keys, " ks=hd:fd0:/ks.cfg<enter>"), "%s: the installer gets its kickstart from the floppy", e.name)
	kickstart := ""
	if got["floppy_content"] != cty.NilVal {
		kickstart = quoted(got["floppy_content"].AsValueMap()["ks.cfg"])
	}
	given, _ := os.ReadFile(quoted(e.context.Variables["var"].GetAttr("kickstart")))
	expect(len(given) > 0 && strings.HasPrefix(kickstart, string(given)), "%s: the floppy has the kickstart, whole", e.name)
	tools := e.context.Variables["var"].GetAttr("tools_packages").LengthInt() > 0
	expect(strings.Contains(kickstart[min(len(given), len(kickstart)):], "%post") == tools, "%s: the installer installs VMware Tools if it is to", e.name)
	if script := regexp.MustCompile(`(?s)\n%post[^\n]*\n(.*)\n%end\n$`).FindStringSubmatch(kickstart[min(len(given), len(kickstart)):]); script != nil {
		write(output, e.name+"-tools.sh", "#!/bin/sh\n"+script[1]+"\n")
	} else {
		expect(!tools, "%s: the section that installs VMware Tools is whole", e.name)
	}
	write(output, e.name+"-ks.cfg", kickstart)
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}

func write(directory, name, text string) {
	if err := os.WriteFile(filepath.Join(directory, name), []byte(text), 0o755); err != nil {
		fmt.Fprintln(os.Stderr, "check:", err)
		os.Exit(2)
	}
}

var provisioner = map[string]map[string]string{
	"shell": {
		"inline": "list(string)", "valid_exit_codes": "list(number)", "expect_disconnect": "bool",
		"start_retry_timeout": "string", "pause_before": "string",
	},
	"file": {"sources": "list(string)", "destination": "string"},
}

// steps judges what is done to the VM, in its order.
func (e *evaluation) steps(output string) {
	builds := e.blocks("build")
	if !expect(len(builds) == 1, "%s: there is one build", e.name) {
		return
	}
	sources, ok := literal(builds[0].Body.Attributes["sources"])
	expect(ok && sources.LengthInt() == 1 && quoted(sources.AsValueSlice()[0]) == "source.vsphere-iso."+e.blocks("source")[0].Labels[1], "%s: it builds the one source", e.name)

	at := map[string]int{}
	last := len(builds[0].Body.Blocks) - 1
	for i, block := range builds[0].Body.Blocks {
		if !expect(block.Type == "provisioner" && provisioner[block.Labels[0]] != nil, "%s: step %d is of a known kind", e.name, i+1) {
			continue
		}
		got := e.take(block.Body, "", provisioner[block.Labels[0]])
		if block.Labels[0] == "file" {
			at["upload"] = i
			e.upload(got)
			continue
		}
		if !expect(got["inline"] != cty.NilVal, "%s: step %d has a script", e.name, i+1) {
			continue
		}
		var lines []string
		for _, line := range got["inline"].AsValueSlice() {
			lines = append(lines, line.AsString())
		}
		script := strings.Join(lines, "\n") + "\n"
		kind := ""
		for _, of := range [][2]string{{"install", "rpm -U"}, {"apply", "mt-agent apply"}, {"restart", "shutdown -r"}, {"check", "mt-agent check"}, {"seal", "mt-agent seal"}} {
			if strings.Contains(script, of[1]) {
				expect(kind == "", "%s: step %d does one thing", e.name, i+1)
				kind = of[0]
			}
		}
		if kind == "" {
			kind = "prepare"
		}
		_, twice := at[kind]
		expect(!twice, "%s: one step does %s", e.name, kind)
		at[kind] = i
		// What Packer puts above an inline script when it is not told otherwise.
		write(output, e.name+"-"+kind+".sh", "#!/bin/sh -e\n"+script)

		codes := ""
		if got["valid_exit_codes"] != cty.NilVal {
			for _, code := range got["valid_exit_codes"].AsValueSlice() {
				codes += quoted(code) + " "
			}
		}
		wanted := map[string]string{"apply": "0 3 "}[kind]
		expect(codes == wanted, "%s: %s ends well with the statuses it may have", e.name, kind)
		expect((quoted(got["expect_disconnect"]) == "true") == (kind == "restart"), "%s: %s may lose its connection if it restarts", e.name, kind)
		if kind == "restart" || kind == "check" {
			expect(quoted(got["start_retry_timeout"]) == "15m", "%s: %s waits for a slow restart", e.name, kind)
		}
		expect((quoted(got["pause_before"]) != "") == (kind == "check"), "%s: %s gives the restart time if it follows it", e.name, kind)
		switch kind {
		case "apply":
			expect(strings.HasPrefix(script, "mt-agent apply --stage image --yes"), "%s: apply is for an image, and asks nobody", e.name)
		case "check":
			expect(strings.HasSuffix(script, "\nmt-agent check --stage image\n"), "%s: check has the last word", e.name)
		case "seal":
			expect(i == last && strings.HasSuffix(script, "\nmt-agent seal --yes --wipe-free-space\n"), "%s: seal is the very last", e.name)
			expect(strings.Contains(script, "usermod -p '"+quoted(e.context.Variables["var"].GetAttr("root_password_hash"))+"' root"), "%s: the build's password is replaced", e.name)
		}
	}
	order := []string{"prepare", "upload", "install", "apply", "restart", "check", "seal"}
	for i, kind := range order {
		position, ok := at[kind]
		expect(ok && position == i, "%s: %s comes in its place", e.name, kind)
	}
	expect(last == len(order)-1, "%s: there is nothing else", e.name)
}

func (e *evaluation) upload(got map[string]cty.Value) {
	given := e.context.Variables["var"]
	var wanted []string
	for _, name := range []string{"agent_rpm", "profile", "unified_agent_archive", "collection"} {
		if path := quoted(given.GetAttr(name)); path != "" {
			wanted = append(wanted, path)
		}
	}
	wanted = append(wanted, filepath.Join(filepath.Dir(quoted(given.GetAttr("agent_rpm"))), "SHA256SUMS"))
	var sent []string
	if got["sources"] != cty.NilVal {
		for _, path := range got["sources"].AsValueSlice() {
			sent = append(sent, path.AsString())
		}
	}
	sort.Strings(wanted)
	sort.Strings(sent)
	expect(strings.Join(wanted, "\n") == strings.Join(sent, "\n"), "%s: what is named is uploaded, and nothing else", e.name)
	expect(quoted(got["destination"]) == quoted(e.context.Variables["local"].GetAttr("upload"))+"/", "%s: it is uploaded into the directory", e.name)
}

func attributes(path string) map[string]string {
	text, err := os.ReadFile(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, "check:", err)
		os.Exit(2)
	}
	known := map[string]string{}
	for _, line := range strings.Split(string(text), "\n") {
		if fields := strings.Fields(line); len(fields) == 2 && fields[0] != "#" {
			known[fields[0]] = fields[1]
		}
	}
	return known
}

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: check TEMPLATE_DIRECTORY ATTRIBUTES VALUES OUTPUT_DIRECTORY")
		os.Exit(2)
	}
	directory, known, output := filepath.Clean(os.Args[1]), attributes(os.Args[2]), os.Args[4]
	t := parse(directory)
	t.requirements()
	t.declarations()
	t.uses()
	t.documented(directory)
	t.judged(os.Args[3])
	example := t.assigned(directory)
	if failed > 0 {
		finish()
	}
	full := map[string]cty.Value{"collection": cty.StringVal("/srv/for-the-target"), "root_password_hash": cty.StringVal("$6$saltsalt$" + strings.Repeat("./0aZ9", 14) + "./")}
	least := map[string]cty.Value{}
	for name, value := range example {
		if _, ok := full[name]; !ok {
			full[name] = value
		}
		if t.variables[name].fallback == nil {
			least[name] = value
		}
	}
	for _, e := range []*evaluation{t.evaluate("full", full), t.evaluate("least", least)} {
		e.machine(known, output)
		e.steps(output)
	}
	for path, text := range t.sources {
		expect(bytes.Equal(hclwrite.Format(text), text), "%s is formatted as packer fmt does", filepath.Base(path))
	}
	finish()
}
