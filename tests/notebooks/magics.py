# expect: ex1, ex2, ex3 pass
# expect: ex4 not-written
# %%
%matplotlib inline
%load_ext autoreload
!pip install torch
!wget https://raw.githubusercontent.com/karpathy/makemore/master/names.txt \
    -O names.txt
files = !ls
here = %pwd
# %%
%%bash
cat names.txt | head
dprobs = 1
# %%
#: setup
#: forward
# %%
torch.zeros_like?
F.one_hot??
?torch
# %%
%%time
#: ex1 dlogprobs..dhprebn dprobs = dlogprobs / probs -> dprobs = dlogprobs / probs  # is it?
# %%
%%capture out
#: ex1 dembcat..demb
# %%
%%html
<b>dC = 0</b>
# %%
%%timeit -n1 -r1
#: ex1 dC..dC
# %%
%timeit dprobs = 0
if True:
    %pwd
    !ls
#: ex2
# %%
%%javascript
var dhprebn = 1;
# %%
#: ex3
