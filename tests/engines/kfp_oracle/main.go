// Says of texts what the libraries say that KFP's backend and Kubernetes read them with: conditions and amounts.
// Each line of the input is a list, ["cel", TEXT] or ["quantity", TEXT]; each line of the output is the answer.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/google/cel-go/cel"
	"k8s.io/apimachinery/pkg/api/resource"
)

func main() {
	env, err := cel.NewEnv(
		cel.Variable("inputs", cel.DynType),
		cel.Function("parseJson", cel.Overload("parse_json", []*cel.Type{cel.StringType}, cel.DynType)),
	)
	if err != nil {
		panic(err)
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var line [2]string
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			panic(err)
		}
		if line[0] == "cel" {
			fmt.Println(expression(env, line[1]))
		} else {
			fmt.Println(quantity(line[1]))
		}
	}
}

func expression(env *cel.Env, text string) string {
	if _, issues := env.Parse(text); issues.Err() != nil {
		return "refused"
	}
	if _, issues := env.Compile(text); issues.Err() != nil {
		return "of wrong types or names"
	}
	return "taken"
}

func quantity(text string) string {
	if found, err := resource.ParseQuantity(text); err != nil || found.Sign() < 0 {
		return "refused"
	}
	return "taken"
}
